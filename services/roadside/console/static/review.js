// The queue by keyboard: Enter confirms, U and S answer, J goes on, K begins again; any other character begins a
// correction (Shift for plates that begin with U, S, J or K).
const task = document.getElementById("task");

function press(selector) {
  task.querySelector(selector)?.click();
}

function typed() {
  return task.querySelector("[data-typed]");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || !typed()) return;
  const field = typed();
  const inField = event.target === field;
  const elsewhere = /^(INPUT|SELECT|TEXTAREA|BUTTON|A)$/.test(event.target.tagName) && !inField;
  if (elsewhere) return;
  if (event.key === "Escape") {
    field.value = "";
    field.blur();
  } else if (event.key === "Enter") {
    event.preventDefault();
    press(field.value.trim() ? "[data-correct]" : "[data-key=Enter]");
  } else if (inField) {
    return;
  } else if (event.key === "u" || event.key === "s") {
    event.preventDefault();
    press(`[data-key=${event.key}]`);
  } else if (event.key === "j") {
    event.preventDefault();
    press("[data-key=s]");
  } else if (event.key === "k") {
    event.preventDefault();
    window.location.assign("/review");
  } else if (/^[a-z0-9]$/i.test(event.key)) {
    event.preventDefault();
    field.focus();
    field.value += event.key;
  }
});

task.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-use]");
  if (!choice) return;
  typed().value = choice.dataset.use;
  typed().focus();
});
