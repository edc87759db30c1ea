"use strict";
const form = document.querySelector("#filter");
const rows = [...document.querySelectorAll("details.scenario")];
const parts = [...document.querySelectorAll("section.part")];
const shown = document.querySelector("#shown");

function filter() {
  const verdict = form.elements.verdict.value;
  const words = form.elements.words.value.toLowerCase();
  for (const row of rows) {
    const fits = verdict === "all" || row.dataset.verdict === verdict;
    row.hidden = !fits || !row.textContent.toLowerCase().includes(words);
  }
  for (const part of parts) {
    part.hidden = !part.querySelector("details.scenario:not([hidden])");
  }
  const count = rows.filter((row) => !row.hidden).length;
  shown.textContent = `${count} of ${rows.length} scenarios shown`;
}

form.hidden = false;
form.addEventListener("input", filter);
form.addEventListener("submit", (event) => event.preventDefault());
filter();
