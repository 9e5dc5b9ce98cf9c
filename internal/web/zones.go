package web

import "strings"

// zones are those offered to choose from: one for each set of rules in use
// today, by the name of its largest city, from west to east.
var zones = strings.Fields(`
Pacific/Pago_Pago Pacific/Honolulu Pacific/Marquesas America/Anchorage America/Los_Angeles America/Tijuana America/Vancouver
America/Phoenix America/Denver America/Edmonton America/Chicago America/Mexico_City America/Winnipeg America/Guatemala America/Bogota
America/Lima America/New_York America/Toronto America/Havana America/Panama America/Caracas America/Halifax America/Santiago
America/La_Paz America/Puerto_Rico America/St_Johns America/Sao_Paulo America/Argentina/Buenos_Aires America/Montevideo America/Nuuk
America/Noronha Atlantic/Azores Atlantic/Cape_Verde Atlantic/Reykjavik Europe/London Europe/Dublin Europe/Lisbon Africa/Casablanca
Africa/Abidjan Africa/Accra Africa/Lagos Africa/Algiers Africa/Tunis Europe/Amsterdam Europe/Berlin Europe/Brussels Europe/Budapest
Europe/Copenhagen Europe/Madrid Europe/Oslo Europe/Paris Europe/Prague Europe/Rome Europe/Stockholm Europe/Vienna Europe/Warsaw
Europe/Zurich Africa/Cairo Africa/Johannesburg Africa/Tripoli Asia/Beirut Asia/Jerusalem Europe/Athens Europe/Bucharest
Europe/Chisinau Europe/Helsinki Europe/Kyiv Europe/Sofia Africa/Nairobi Asia/Amman Asia/Baghdad Asia/Damascus Asia/Riyadh
Europe/Istanbul Europe/Minsk Europe/Moscow Asia/Tehran Asia/Baku Asia/Dubai Asia/Tbilisi Asia/Yerevan Asia/Kabul Asia/Karachi
Asia/Tashkent Asia/Yekaterinburg Asia/Colombo Asia/Kolkata Asia/Kathmandu Asia/Almaty Asia/Dhaka Asia/Omsk Asia/Yangon Asia/Bangkok
Asia/Ho_Chi_Minh Asia/Jakarta Asia/Novosibirsk Asia/Hong_Kong Asia/Kuala_Lumpur Asia/Manila Asia/Shanghai Asia/Singapore Asia/Taipei
Australia/Perth Asia/Irkutsk Australia/Eucla Asia/Seoul Asia/Tokyo Asia/Yakutsk Australia/Darwin Australia/Adelaide
Australia/Brisbane Australia/Melbourne Australia/Sydney Asia/Vladivostok Pacific/Port_Moresby Australia/Lord_Howe Pacific/Guadalcanal
Pacific/Noumea Pacific/Norfolk Asia/Kamchatka Pacific/Auckland Pacific/Fiji Pacific/Chatham Pacific/Tongatapu Pacific/Apia
Pacific/Kiritimati UTC`)
