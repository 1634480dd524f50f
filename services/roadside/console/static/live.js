// New sightings become cards at the front, unless the page is paused; then they wait.
const MOST_CARDS = 60;
const cards = document.querySelector("[data-cards]");
const state = document.querySelector("[data-state]");
const empty = document.querySelector("[data-empty]");
const pause = document.querySelector("[data-pause]");
const sound = document.querySelector("[data-sound]");
const [CONNECTED, CONNECTING, PAUSED, FULL] = state.dataset.words.split("|");
const [PAUSE, GO_ON] = pause.dataset.words.split("|");
const LOUD = new Set(["UNPAID", "REVIEW"]);
let waiting = [];
let paused = false;
let audio = null;

function say(text, name) {
  state.textContent = text;
  state.className = `state ${name}`;
}

function add(html) {
  const holder = document.createElement("template");
  holder.innerHTML = html;
  const card = holder.content.firstElementChild;
  // What was stored while the page was drawn is told once more.
  if (!card || cards.querySelector(`[data-sighting="${CSS.escape(card.dataset.sighting)}"]`)) return;
  cards.prepend(card);
  while (cards.children.length > MOST_CARDS) cards.lastElementChild.remove();
  empty.hidden = true;
  if (sound.checked && LOUD.has(card.dataset.verdict)) beep(card.dataset.verdict === "UNPAID" ? 660 : 440);
}

function beep(pitch) {
  audio ||= new AudioContext();
  const tone = audio.createOscillator();
  const volume = audio.createGain();
  tone.frequency.value = pitch;
  volume.gain.setValueAtTime(0.1, audio.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.3);
  tone.connect(volume).connect(audio.destination);
  tone.start();
  tone.stop(audio.currentTime + 0.3);
}

pause.addEventListener("click", () => {
  paused = !paused;
  pause.setAttribute("aria-pressed", String(paused));
  pause.textContent = paused ? GO_ON : PAUSE;
  say(paused ? PAUSED : CONNECTED, paused ? "paused" : "on");
  if (!paused) waiting.splice(0).forEach(add);
});

const events = new EventSource(cards.dataset.events);
events.onopen = () => { if (!paused) say(CONNECTED, "on"); };
events.onerror = () => { if (!paused) say(CONNECTING, ""); };
events.addEventListener("sighting", (event) => {
  if (!paused) return add(event.data);
  waiting.push(event.data);
  waiting = waiting.slice(-MOST_CARDS);
  say(`${PAUSED} · ${waiting.length}`, "paused");
});
events.addEventListener("behind", () => window.location.reload());
events.addEventListener("full", () => { events.close(); say(FULL, ""); });
