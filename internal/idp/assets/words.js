// The words of the page, in the reader's language, as the server gives them.

const texts = JSON.parse(document.getElementById("words")?.textContent ?? "{}");

// componentWords are those of Stytch's component that are not its own, for its property strings.
export const componentWords = JSON.parse(document.getElementById("component-words")?.textContent ?? "{}");

// say returns the words of a key, with values in their places.
export const say = (key, values = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => values[name]);

// parts returns the same for the page: each value may be anybody's text, and of any direction of writing, so it stands
// in an element of its own.
export const parts = (key, values) =>
  texts[key].split(/\{(\w+)\}/).map((piece, i) => {
    if (i % 2 === 0) return piece;
    const value = document.createElement("bdi");
    value.textContent = values[piece];
    return value;
  });
