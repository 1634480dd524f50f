// What every page does: ask before what cannot be undone, keep live pictures fresh, take dropped files.
const REFRESH_MS = 1000;

document.addEventListener("submit", (event) => {
  const question = event.target.dataset.confirm;
  if (question && !window.confirm(question)) event.preventDefault();
});

function refresh(image) {
  if (document.hidden || !image.isConnected) return;
  const next = new Image();
  next.onload = () => { image.src = next.src; };
  next.src = `${image.dataset.base}?${Date.now()}`;
}

setInterval(() => {
  for (const image of document.querySelectorAll("img[data-live]")) {
    image.dataset.base ||= image.getAttribute("src");
    refresh(image);
  }
}, REFRESH_MS);

for (const form of document.querySelectorAll("[data-drop]")) {
  const field = form.querySelector("input[type=file]");
  form.addEventListener("dragover", (event) => { event.preventDefault(); form.classList.add("over"); });
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    if (event.dataTransfer.files.length) field.files = event.dataTransfer.files;
  });
}
