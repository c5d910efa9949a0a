"use strict";
const form = document.querySelector(".filter");
const rows = [...document.querySelectorAll("[data-claim]")];
const say = form.querySelector("output");
function apply() {
  const words = form.elements.q.value.toLowerCase().split(/\s+/).filter(Boolean);
  const verdict = form.elements.verdict.value, from = form.elements.document.value, tag = form.elements.tag.value;
  const shown = new Set();
  for (const row of rows) {
    const own = row.dataset;
    const fits = words.every((word) => own.words.includes(word)) && (!from || own.document === from) &&
      (!tag || own.tags.split(" ").includes(tag)) && (!verdict || own.verdicts.split(" ").includes(verdict));
    row.hidden = !fits;
    if (fits) shown.add(own.claim);
  }
  for (const article of document.querySelectorAll("[data-of]")) article.hidden = !shown.has(article.dataset.of);
  for (const part of document.querySelectorAll(".document"))
    part.hidden = !part.querySelector("[data-claim]:not([hidden])");
  say.value = `${shown.size} of ${form.dataset.total} claims`;
}
// A link to a claim that the filter hides would lead nowhere.
document.addEventListener("click", (event) => {
  const link = event.target.closest("a[href^='#']");
  if (!link || !document.getElementById(link.hash.slice(1))?.hidden) return;
  form.reset();
  apply();
});
form.hidden = false;
form.addEventListener("input", apply);
form.addEventListener("submit", (event) => event.preventDefault());
form.addEventListener("reset", () => setTimeout(apply));
apply();
