// Gives each address a button that copies it. Pages that list addresses work
// without: there are no buttons then, nor where the browser forbids copying.
"use strict";

for (const button of navigator.clipboard ? document.querySelectorAll("button.copy") : []) {
  const address = button.parentElement.parentElement.querySelector(".address");
  const name = button.textContent;
  button.hidden = false;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(address.textContent);
    } catch {
      getSelection().selectAllChildren(address); // to be copied by hand
      return;
    }
    button.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = name; }, 2000);
  });
}
