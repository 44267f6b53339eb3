addEventListener("beforeprint", () => document.querySelectorAll("figure details").forEach(d => d.removeAttribute("open")));
document.querySelectorAll("nav a, .statements a, a.term").forEach(a => a.addEventListener("click", () => {
  const d = document.querySelector(a.getAttribute("href"))?.closest("details");
  if (d) d.open = true;
}));
