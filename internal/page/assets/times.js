// Shows times in the reader's own zone and manner of writing. Without it they are in UTC, and say so.
"use strict";

const own = navigator.languages.find((language) => language.split("-")[0] === document.documentElement.lang);
const written = new Intl.DateTimeFormat(own ?? document.documentElement.lang, { year: "numeric", month: "long",
  day: "numeric", hour: "numeric", minute: "2-digit", timeZoneName: "short" });

for (const time of document.querySelectorAll("time[datetime]")) {
  time.title = time.textContent;
  time.textContent = written.format(new Date(time.dateTime));
}
