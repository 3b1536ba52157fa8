// Adds a button to everything that a builder copies. Without it the text is selected by hand.
"use strict";

const copyStatus = document.getElementById("copy-status");
let shown; // the button that says so, and until when

for (const source of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = "Copy";
  button.setAttribute("aria-label", "Copy " + source.dataset.copy);
  button.addEventListener("click", () => copy(source, button));
  source.after(button);
}

async function copy(source, button) {
  try {
    await navigator.clipboard.writeText(source.value ?? source.textContent);
    say(button, "Copied", "Copied: " + source.dataset.copy);
  } catch { // no permission, or no secure context
    select(source);
    say(button, "Selected", "Selected: " + source.dataset.copy + ". Copy it with the keyboard or the menu.");
  }
}

function select(source) {
  if (source.select) {
    source.focus();
    source.select();
  } else {
    getSelection().selectAllChildren(source);
  }
}

// say shows the outcome on the button for a moment, and has it read out.
function say(button, word, sentence) {
  if (shown) {
    clearTimeout(shown.timer);
    shown.button.textContent = "Copy";
  }
  button.textContent = word;
  copyStatus.textContent = "";
  copyStatus.textContent = sentence;
  shown = { button, timer: setTimeout(() => { button.textContent = "Copy"; copyStatus.textContent = ""; }, 3000) };
}
