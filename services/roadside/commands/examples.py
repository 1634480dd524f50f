"""Command lines to begin with: of no command, of the help of each, and of the manual."""

from __future__ import annotations

EXAMPLES: dict[str, tuple[tuple[str, str], ...]] = {
    "run": (
        ("roadside run clip.mp4 --out annotated.mp4", "a film, and its copy with the plates framed"),
        ("roadside run rtsp://user:password@camera/stream --camera gate", "a camera, by its address"),
        ("roadside run rpicam --console", "a Raspberry Pi's own camera, with web pages"),
        ("roadside run --config site.toml", "all cameras of a file"),
        ("roadside run /dev/video0 --notify notify.toml", "tell Home Assistant, telephones, webhooks"),
    ),
    "read": (
        ("roadside read photo.jpg", "the plates of a photograph"),
        ("roadside read *.jpg --json", "one JSON object a line a file, for programs"),
        ("roadside read photo.jpg --out framed.jpg", "and draw them"),
    ),
    "plates recent": (
        ("roadside plates recent --limit 50", "what was seen last"),
        ("roadside plates recent --since 2h --camera gate", "in the last two hours, by one camera"),
        ("roadside plates recent --since 2026-01-01 --until 2026-01-31 --xlsx january.xlsx", "a month, for the office"),
    ),
    "speeds": (("roadside speeds bridge --since 7d --over 90", "who was faster than 90 km/h, beyond the uncertainty"),),
    "plot": (
        ("roadside plot week.pdf --since 7d", "passages, verdicts, confidence of a week"),
        ("roadside plot bridge.svg --section bridge --of speeds", "speeds between two cameras"),
        ("roadside plot january.png --from january.csv", "of a file that `plates recent` wrote"),
    ),
    "registry import": (
        ("roadside registry import vignettes.csv", "add a list"),
        ("roadside registry import vignettes.xlsx --replace", "make it the only one"),
        ("roadside registry import cars.csv --columns plate=Vehicle --country CZ", "say what the list does not"),
    ),
    "registry check": (("roadside registry check 1AB2345 --country CZ", "whether it has paid now"),),
    "registry export": (("roadside registry export paid.xlsx", "for the office"),),
    "registry diff": (("roadside registry diff vignettes.csv", "before an import --replace"),),
    "notify": (
        ("roadside notify --notify notify.toml", "beside what stores sightings"),
        ("roadside notify --dead", "what did not arrive"),
    ),
    "cameras find": (
        ("roadside cameras find --user admin", "asks for the password, then the network and each camera"),
        ("roadside cameras find --host 192.168.1.20", "one camera, without a password"),
    ),
    "doctor": (
        ("roadside doctor", "everything but a camera"),
        ("roadside doctor rtsp://user:password@camera/stream", "with one"),
    ),
    "install-service": (
        ("sudo roadside install-service --config /etc/roadside/site.toml", "from every start of the machine on"),
        ("roadside install-service --user --print", "see the unit of a service without root"),
    ),
    "console": (("roadside console", "web pages over what was seen"),),
    "evidence verify": (("roadside evidence verify", "whether anything was changed"),),
    "forget": (("roadside forget 1AB2345", "delete everything about a plate"),),
    "man": (("roadside man > ~/.local/share/man/man1/roadside.1", "so that `man roadside` shows it"),),
}
"""By the words of a command: command lines, and what each does."""

FIRST = (
    ("roadside read photo.jpg", "the plates of a photograph"),
    ("roadside run clip.mp4 --out annotated.mp4", "a film; the copy shows what was read"),
    ("roadside run rtsp://user:password@camera/stream --console", "a camera, with web pages"),
    ("roadside registry import vignettes.csv", "a list of who paid: from then on there are verdicts"),
    ("roadside doctor", "is everything there that it needs?"),
    ("roadside --help", "all commands; each explains itself with --help"),
)
"""What to do first."""


def written(examples: tuple[tuple[str, str], ...]) -> str:
    """A line each: the command line, and what it does."""
    width = max(len(line) for line, _ in examples)
    return "\n".join(f"  {line:<{width}}  {meaning}" for line, meaning in examples)
