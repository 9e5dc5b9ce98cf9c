package journal

// SetBoot plays a start of the machine until the returned function is called.
func SetBoot(id [16]byte) (restore func()) {
	before := bootID
	bootID = func() [16]byte { return id }
	return func() { bootID = before }
}
