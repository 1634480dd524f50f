"""The Python API: `from roadside import ALPR` reads number plates in pictures, and watches clips and cameras.

```python
from roadside import ALPR

plates = ALPR().read("street.jpg")
print([(plate.text, plate.country, plate.confidence) for plate in plates])

for sighting in ALPR().watch("street.mp4"):
    print(sighting.first_seen, sighting.plate, sighting.country)
```

What is in `__all__` is stable: it changes only with a new major version. Every error that is raised on purpose is a
[`RoadsideError`][roadside.errors.RoadsideError] whose message is one line.
"""

from roadside.api.alpr import ALPR
from roadside.api.options import Options
from roadside.api.plates import Plate, Plates
from roadside.api.sightings import Alternative, Sighting
from roadside.core.frames import Box, Corners
from roadside.core.reads import Character
from roadside.core.sightings import Verdict, VerdictKind

__all__ = [
    "ALPR",
    "Alternative",
    "Box",
    "Character",
    "Corners",
    "Options",
    "Plate",
    "Plates",
    "Sighting",
    "Verdict",
    "VerdictKind",
]
