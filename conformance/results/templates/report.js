"use strict";
(() => {
  const find = (id) => document.getElementById(id);
  const all = (selector) => [...document.querySelectorAll(selector)];
  const rows = all(".matrix tbody tr[data-text]");
  const groups = all(".matrix tbody");
  const failures = all("details.failure");
  const texts = new Map(failures.map((one) => [one, one.querySelector("summary").textContent.toLowerCase()]));
  const fields = ["search", "chapter", "level", "verdict", "run"];
  const chapterOf = new Map(rows.map((row) => [row, row.parentElement.dataset.chapter]));

  const filter = () => {
    const [search, chapter, level, verdict, run] = fields.map((id) => find(id).value.trim().toLowerCase());
    const words = search.split(/\s+/).filter(Boolean);
    const wanted = (told) => !verdict && !run ? true : told.split(" ").some((one) => {
      const [number, what] = one.split(":");
      return (!run || number === run) && (!verdict || what === verdict);
    });
    let shown = 0;
    for (const row of rows) {
      const fits = words.every((word) => row.dataset.text.includes(word))
        && (!chapter || chapterOf.get(row) === chapter)
        && (!level || row.dataset.level.toLowerCase() === level)
        && wanted(row.dataset.verdicts);
      row.hidden = !fits;
      shown += fits;
    }
    for (const group of groups) group.hidden = !group.querySelector("tr[data-text]:not([hidden])");
    for (const cell of all(".matrix [data-run]")) cell.hidden = Boolean(run) && cell.dataset.run !== run;
    for (const one of failures) {
      const other = (run && one.dataset.run !== run) || (verdict && !one.classList.contains(verdict))
        || (chapter && !groups.some((group) => group.dataset.chapter === chapter
          && [...group.rows].some((row) => row.id && texts.get(one).includes(row.id))));
      one.hidden = Boolean(other) || !words.every((word) => texts.get(one).includes(word));
    }
    for (const heading of all("h3[data-run]")) heading.hidden = Boolean(run) && heading.dataset.run !== run;
    find("nothing").hidden = shown > 0;
    find("shown").textContent = `${shown} of ${rows.length} requirements`;
  };

  const heads = all(".matrix thead [data-run]").map((head) => [...head.childNodes].map((part) => part.textContent).join(" "));
  for (const cell of all(".matrix td")) cell.dataset.name = heads[Number(cell.dataset.run)];

  const open = () => {
    const one = location.hash.length > 1 && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!one || one.tagName !== "DETAILS") return;
    one.hidden = false;
    one.open = true;
    // The browser moves the focus to the target in its next frame, and a closed one takes none.
    requestAnimationFrame(() => requestAnimationFrame(() => {
      one.querySelector("summary").focus();
      one.scrollIntoView({ block: "start" });
    }));
  };

  find("filter").addEventListener("input", filter);
  find("filter").addEventListener("submit", (event) => event.preventDefault());
  find("filter").addEventListener("reset", () => setTimeout(filter));
  addEventListener("hashchange", open);
  addEventListener("keydown", (event) => {
    if (event.key === "/" && !/input|select|textarea/i.test(event.target.tagName)) {
      event.preventDefault();
      find("search").focus();
    }
  });
  document.addEventListener("click", async (event) => {
    if (!event.target.matches("button.copy")) return;
    const button = event.target, text = button.previousElementSibling, said = button.textContent;
    try {
      await navigator.clipboard.writeText(text.textContent);
      button.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(text);
      button.textContent = "Selected: press Ctrl+C";
    }
    setTimeout(() => { button.textContent = said; }, 2000);
  });
  filter();
  open();
})();
