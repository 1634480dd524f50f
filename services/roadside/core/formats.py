"""The plate formats of Europe as data: which characters stand where, and where the breaks are.

Notation of a format: `D` a digit, `N` a digit but not 0, `L` a letter that the country uses, `X` either, `Y` any
letter, `Z` any letter or digit, another capital a class of the country's `classes`, a small letter itself, `<name>`
one of the country's codes, `{m,n}` repetition of what stands before; a space or a hyphen is a break as it is
displayed, a closing `!` says that one character at least is a digit.
A weight of 1 is a format on the road today; older and rarer ones have less, made-to-order plates least.

Sources: the national rules named at each country, and, where none is named, the articles "Vehicle registration
plates of <country>" of the English and the country's own Wikipedia as read in 2025.
"""

from __future__ import annotations

from dataclasses import dataclass, field

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def without(letters: str) -> str:
    """The Latin letters but those of `letters`."""
    return "".join(c for c in LETTERS if c not in letters)


@dataclass(frozen=True, slots=True)
class Grammar:
    """The formats of one country."""

    letters: str
    formats: tuple[tuple[str, float], ...]
    """(format, weight)."""
    classes: dict[str, str] = field(default_factory=dict)
    codes: dict[str, frozenset[str]] = field(default_factory=dict)
    alike: bool = False
    """Whether the country draws O as 0 and I as 1."""


def _codes(text: str) -> frozenset[str]:
    return frozenset(text.split())


POLISH_CITIES = _codes(
    "AA AB BI BL BS CB CG CT CW DB DJ DL DW DX ED EL EP ES FG FZ GA GD GS KK KN KR KT LB LC LU LZ NE NO OP PK PL PN PO "
    "PY RK RP RT RZ SB SC SD SG SH SI SJ SK SL SM SO SR ST SW SY SZ TK WA WB WD WE WF WH WI WJ WK WN WO WP WR WS WT WU "
    "WW WX WY ZK ZS ZZ"
)
"""The two letters with which plates of Polish cities begin; districts have three."""

GRAMMARS: dict[str, Grammar] = {
    # DVLA INF104 "Vehicle registration numbers and number plates": current marks have no I or Q, and Z only among the
    # last three; the prefix and suffix letters of 1963-2001 were never I, O, Q, U or Z; Northern Ireland keeps
    # three letters with I or Z and up to four digits; Q marks are for vehicles of unknown age.
    "UK": Grammar(
        without("IQ"),
        (
            ("MMDD LLL", 1.0),
            ("PN{1}D{0,2} LLL", 0.5),
            ("qDDD LLL", 0.05),
            ("LLLN{1}D{0,2} P", 0.2),
            ("J{2,3} ND{0,3}", 0.2),
            ("L{1,3} ND{0,3}", 0.1),
            ("ND{0,3} L{1,3}", 0.1),
        ),
        {"M": without("IQZ"), "P": without("IOQUZ"), "J": without("Q")},
        alike=True,
    ),
    # Vyhláška 343/2014 Sb., § 22-25: no G, CH, O, Q, W; the region's letter second; EL for electric ones; plates to
    # order ("značka na přání", zákon 56/2001 Sb. § 7b, since 2016) have eight characters, on motorcycles seven, on
    # mopeds five, of which one at least is a digit; they do not begin with EL.
    "CZ": Grammar(
        without("GOQW"),
        (
            ("NRX DDDD", 1.0),
            ("elD DDLL", 0.3),
            ("NR DDDD", 0.1),
            ("LLL DD-DD", 0.1),
            ("DDv DDDD", 0.05),
            ("AX{7}!", 0.15),
            ("eBX{6}!", 0.15),
            ("X{7}!", 0.03),
            ("X{5}!", 0.02),
        ),
        {"R": "ABCEHJKLMPSTUZ", "A": "ABCDFHIJKLMNPRSTUVXYZ0123456789", "B": "ABCDEFHIJKMNPRSTUVXYZ0123456789"},
        alike=True,
    ),
    # Zákon 8/2009 Z. z., § 123-127: a district's (from 2023 any) two letters, three digits, two letters; plates to
    # order keep the two letters and have five characters that begin with letters. Q and W are in no series.
    "SK": Grammar(
        without("QW"),
        (("LL-DDDLL", 1.0), ("LL-LLLLL", 0.1), ("LL-LLLLD", 0.1), ("LL-LLLDD", 0.1)),
    ),
    # Fahrzeug-Zulassungsverordnung, Anlagen 1-4: district 1-3 letters, 1-2 letters, 1-4 digits (the first not 0), then
    # E (electric) or H (historic), eight characters at most. Umlauts are folded. Where the district ends is
    # not known from the characters alone, therefore no break among the letters. Authorities have no letters.
    "DE": Grammar(
        LETTERS,
        (("L{2,5} ND{0,3}", 1.0), ("L{2,5} ND{0,3}H", 0.2), ("L{1,3} ND{2,5}", 0.05)),
        {"H": "EH", "A": without("EH")},
        {"land": _codes("BBL BWL BYL HEL LSA LSN MVL NRW RPL SAL THL")},
    ),
    # Rozporządzenie w sprawie rejestracji pojazdów (Dz.U. 2022 poz. 1849), zał. 13: the first letter is the voivodeship
    # (H: services); after the district no B, D, I, O, Z (0, 1, 2, 8 look alike) and never Q.
    "PL": Grammar(
        without("Q"),
        (
            ("PL DDDDD", 1.0),
            ("PL DDDDW", 1.0),
            ("PL DDDWW", 1.0),
            ("PL DWDDD", 0.5),
            ("PL DWWDD", 0.5),
            ("PLL WDDD", 1.0),
            ("PLL DDWW", 1.0),
            ("PLL DWDD", 1.0),
            ("PLL DDWD", 1.0),
            ("PLL DWWD", 1.0),
            ("PLL WWDD", 1.0),
            ("PLL WDDW", 0.5),
            ("PLL DWWW", 0.3),
            ("PLL DDDDD", 0.7),
            ("PLL DDDDW", 0.7),
            ("PLL DDDWW", 0.7),
            ("PL DDD", 0.05),
            ("PL DDW", 0.05),
            ("PD L{3,5}", 0.1),
            ("PD LLLD{1,2}", 0.1),
        ),
        {"P": "ABCDEFGHIJKLMNOPRSTVWXYZ", "W": "ACEFGHJKLMNPRSTUVWXY"},
    ),
    # Kraftfahrgesetz 1967 § 48 and the KDV: the authority's 1-2 letters, digits, then letters; to
    # order: letters, then digits.
    "AT": Grammar(
        without("Q"),
        (
            ("<district> ND{0,4}S{1,3}", 1.0),
            ("<district> L{1,5}ND{0,2}", 0.1),
        ),
        {"S": without("IOQ")},
        {
            "district": _codes(
                "AM B BA BB BL BM BN BR BZ D DL DO E EF EU FB FE FF FK FR FV G GB GD GF GM GR GS GU HA HB HE HF HL HO "
                "I IL IM JE JO JU JW K KB KF KG KI KL KO KR KS KU L LA LB LE LF LI LK LL LN LZ MA MD ME MI MT MU MW "
                "MZ ND NK OP OW P PE PF PL RA RE RI RO RU S SB SD SE SK SL SO SP SR SV SW SZ TA TK TU UU VB VI VK "
                "VL VO W WB WE WK WL WN WO WT WU WY WZ ZE ZT ZW"
            )
        },
    ),
    # RDW sidecodes 1-14: no vowels and no C, Q since sidecode 4.
    "NL": Grammar(
        without("AEIOUCQY"),
        (
            ("LL-LL-DD", 0.7),
            ("DD-LL-LL", 0.8),
            ("DD-LLL-D", 1.0),
            ("D-LLL-DD", 1.0),
            ("LL-DDD-L", 1.0),
            ("L-DDD-LL", 1.0),
            ("LLL-DD-L", 0.8),
            ("L-DD-LLL", 0.7),
            ("D-LL-DDD", 0.6),
            ("DDD-LL-D", 0.6),
            ("OO-DD-DD", 0.1),
            ("DD-DD-OO", 0.1),
            ("DD-OO-DD", 0.1),
            ("OO-DD-OO", 0.2),
        ),
        {"O": without("IOQ")},
    ),
    # Arrêté du 9 février 2009 (SIV): no I, O, U; before it digits, letters, department.
    "FR": Grammar(
        without("IOU"),
        (("LL-DDD-LL", 1.0), ("ND{0,3} F{2,3} DD", 0.2), ("ND{0,3} F{2,3} 2a", 0.02), ("ND{0,3} F{2,3} 2b", 0.02)),
        {"F": without("IO")},
    ),
    # Real Decreto 2822/1998, Anexo XVIII: four digits, three consonants without Ñ, Q; before it the province.
    "ES": Grammar(
        without("AEIOUQ"),
        (("DDDD LLL", 1.0), ("P{1,2} DDDD V{1,2}", 0.2), ("P{1,2} DDDDD", 0.02), ("P{1,2} DDDDDD", 0.05)),
        {"P": "ABCEGHIJLMNOPRSTUVZFK", "V": without("QR")},
    ),
    # D.P.R. 495/1992 art. 255 ff.: two letters, three digits, two letters without I, O, Q, U.
    "IT": Grammar(without("IOQU"), (("LL DDDLL", 1.0), ("LL DDDDD", 0.2))),
    # 326/2011. (XII. 28.) Korm. rendelet: three letters and digits, since July 2022 four letters; more to order.
    "HU": Grammar(without("Q"), (("LLL-DDD", 1.0), ("LL LL-DDD", 1.0), ("LLLL-DD", 0.1), ("LLLLL-D", 0.1))),
    # OMAI 1501/2006: county, two digits, three letters; Bucharest B and two or three digits. Q never, I, O not first.
    "RO": Grammar(
        without("Q"),
        (("b DD FLL", 1.0), ("b NDD FLL", 1.0), ("<county> DD FLL", 1.0), ("<county> D{3,6}", 0.1), ("b D{3,6}", 0.1)),
        {"F": without("QIO")},
        {
            "county": _codes(
                "AB AR AG BC BH BN BR BT BV BZ CJ CL CS CT CV DB DJ GJ GL GR HD HR IF IL IS MH MM MS MT OT PH SB "
                "SJ SM SV TL TM TR VL VN VS NT"
            )
        },
    ),
    # Pravilnik o registraciji i označavanju vozila: town, three or four digits, one or two letters; no Q, W, X, Y.
    "HR": Grammar(
        without("QWXY"),
        (("<town> D{3,4}-L{1,2}", 1.0), ("<town> L{4,7}", 0.05), ("<town> L{3,5}D{1,2}", 0.05)),
        {},
        {
            "town": _codes(
                "BJ BM CK DA DE DJ DU GS IM KA KC KR KT KZ MA NA NG OG OS PU PZ RI SB SI SK SL ST SV VK VT VU VZ "
                "ZD ZG ZU"
            )
        },
    ),
    # Pravilnik o registraciji motornih vozil: town, five characters; the break is where letters and digits meet.
    "SI": Grammar(
        without("QWXY"),
        (
            ("<town> LL-DDD", 1.0),
            ("<town> DDD-LL", 0.6),
            ("<town> LD-DDD", 0.4),
            ("<town> DD-DLL", 0.3),
            ("<town> LD-DLL", 0.3),
            ("<town> LL-DDL", 0.3),
            ("<town> L{4,6}", 0.05),
        ),
        {},
        {"town": _codes("CE GO KK KP KR LJ MB MS NM PO SG")},
    ),
    # S.I. 318/1992 as amended 2012: year (since 2013 with the half), county, number.
    "IE": Grammar(
        LETTERS,
        (("DDH-<county>-ND{0,5}", 1.0), ("DD-<county>-ND{0,5}", 0.7)),
        {"H": "12"},
        {"county": _codes("C CE CN CW D DL G KE KK KY L LD LH LK LM LS MH MN MO OY RN SO T TN TS W WD WH WW WX")},
    ),
    # DIV: 1-ABC-123 since 2010 (2 since 2020), before it ABC-123 and 123-ABC; to order up to eight characters.
    "BE": Grammar(without("IOQ"), (("N-LLL-DDD", 1.0), ("LLL-DDD", 0.5), ("DDD-LLL", 0.4), ("LLL-DD-D", 0.05))),
    # Decreto-Lei 54/2005 and 2/2020: pairs of letters and digits; K, W, Y only since 2020.
    "PT": Grammar(
        without("KWY"),
        (("YY-DD-YY", 1.0), ("DD-LL-DD", 1.0), ("DD-DD-LL", 0.6), ("LL-DD-DD", 0.3)),
    ),
    # Registreringsbekendtgørelsen: two letters, up to five digits; no I, O, Q, W in the series. To order
    # ("ønskenummerplade"): two to seven characters of any kind, spaces counted, none of the series.
    "DK": Grammar(without("IOQW"), (("LL DD DDD", 1.0), ("Y{2,7}", 0.03), ("Z{2,7}!", 0.03))),
    # Transportstyrelsen: no I, Q, V, Å, Ä, Ö; the last may be a letter but O since 2019. To order ("personlig skylt",
    # page "Tecken"): two to seven characters, six on motorcycles, that look like no number of a series or of a mission.
    "SE": Grammar(
        without("IQV"),
        (("LLL DDD", 1.0), ("LLL DDE", 1.0), ("Y{2,7}", 0.03), ("Z{2,7}!", 0.03)),
        {"E": without("IQVO")},
    ),
    # Kjøretøyforskriften and Statens vegvesen: no G, I, O, Q in the series (EL, EK, EV... electric). To order
    # ("personlig kjennemerke", since 2017): two to seven characters, spaces counted.
    "NO": Grammar(without("GIOQ"), (("LL DDDDD", 1.0), ("LL DDDD", 0.3), ("Y{2,7}", 0.03), ("Z{2,7}!", 0.03))),
    # Traficom: two or three letters and up to three digits without leading 0.
    "FI": Grammar(without("Q"), (("LLL-ND{0,2}", 1.0), ("LL-ND{0,2}", 0.3))),
    # Verkehrszulassungsverordnung (VZV) Art. 82 ff.: canton and up to six digits.
    "CH": Grammar(
        LETTERS,
        (("<canton> ND{0,5}", 1.0),),
        {},
        {"canton": _codes("AG AI AR BE BL BS FR GE GL GR JU LU NE NW OW SG SH SO SZ TG TI UR VD VS ZG ZH")},
    ),
    "LT": Grammar(without("QWX"), (("LLL DDD", 1.0), ("LL DDDD", 0.2), ("LL DDD", 0.1))),
    # Ministru kabineta noteikumi 1080 (2010), 7. pielikums; W since the series WH and NW of 2024 (CSDD). To order
    # ("individuāla pasūtījuma numurs"): up to eight characters.
    "LV": Grammar(without("QY"), (("LL-DDDD", 1.0), ("LL-ND{0,2}", 0.2), ("Y{2,8}", 0.02), ("Z{2,8}!", 0.02))),
    "EE": Grammar(without("Q"), (("DDD LLL", 1.0), ("DD LLL", 0.1), ("DDD LL", 0.1))),
    # Наредба I-45/2000: letters that Cyrillic and Latin share.
    "BG": Grammar(
        "ABCEHKMOPTXY",
        (("<region> DDDD LL", 1.0), ("<region> DDDD L", 0.1), ("<region> L{6}", 0.02)),
        {},
        {"region": _codes("A B BH BP BT C CA CB CC CH CM CO CT E EB EH H K KH M OB P PA PB PK PP T TX X Y")},
    ),
    # Fourteen letters that Greek and Latin share.
    "GR": Grammar("ABEZHIKMNOPTYX", (("LLL-NDDD", 1.0), ("LLL-NDD", 0.3))),
    "LU": Grammar(without("IOQ"), (("LL DDDD", 1.0), ("N D{3}", 0.1), ("ND DDD", 0.1), ("L DDDD", 0.1))),
    # DSTU 4278: letters that Cyrillic and Latin share.
    "UA": Grammar("ABCEHIKMOPTX", (("LL DDDD LL", 1.0), ("DDD DDLL", 0.1), ("LL DDDDD", 0.05))),
}
