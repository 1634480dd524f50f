"""Series of plates that are not a private vehicle's: read and named, and left to a person.

Who drives under them often need not pay, or pays in another way, and few lists hold them. Notation as in
`roadside.core.formats`. Kinds: diplomatic (embassies, consulates, organisations), army, police, state (other
authorities), trailer, dealer (trade and test drives), temporary (transit, export, until registration), veteran.

Sources: the rules named at each country's formats, in force in 2025; for series that those leave to other acts, the
English and national Wikipedia articles on each country's vehicle registration plates. A series that is missing
here is read as an ordinary plate or as none; one too many sends ordinary plates to a person.
"""

from __future__ import annotations

SPECIAL: dict[str, tuple[tuple[str, str], ...]] = {
    # S.I. 2001/561 Schedule 2 and INF32 (trade); diplomatic: three digits, D or X, three digits. Army: JSP 800.
    "UK": (
        ("diplomatic", "DDD d DDD"), ("diplomatic", "DDD x DDD"), ("army", "LL DD LL"), ("army", "DD LL DD"),
        ("dealer", "DDDDD"), ("dealer", "DDD LL"),
    ),
    # Vyhláška 343/2014 Sb., § 27-33: diplomatic CD, XX, honorary consuls HC; army seven digits; veteran V, sport R;
    # test drives F, export and manipulation with their letter after the region.
    "CZ": (
        ("diplomatic", "DDD cd DD"), ("diplomatic", "DDD xx DD"), ("diplomatic", "DDD xs DD"),
        ("diplomatic", "DDD hc DD"), ("army", "DDD DD DD"), ("veteran", "DDv DDDD"), ("veteran", "DDr DDDD"),
        ("dealer", "DDf DDDD"), ("dealer", "NRf DDDD"), ("temporary", "DDm DDDD"), ("temporary", "NRm DDDD"),
    ),
    # Zákon 8/2009 Z. z. § 123-127: EE and ZZ with five digits; H historic; M dealer; C and V temporary, P police.
    "SK": (
        ("diplomatic", "ee-DDDDD"), ("diplomatic", "zz-DDDDD"), ("veteran", "LLhDDDD"), ("dealer", "LLmDDDD"),
        ("dealer", "m-DDDDDD"), ("temporary", "c-DDDDDD"), ("temporary", "v-DDDDDD"), ("police", "p-DDDDDD"),
        ("trailer", "LL-DDDyL"),
    ),
    # Fahrzeug-Zulassungsverordnung 2023, Anlage 4 and §§ 41-44: diplomats 0; federal BD, BP, BW, THW; forces Y, X;
    # red plates of the trade 06, of collections 07; short-term 03, 04; for export (§ 45) a letter behind the number;
    # the Länder's own (Anlage 3) NRW, BYL...; Zoll is within BD.
    "DE": (
        ("diplomatic", "0DDD{2,5}"), ("state", "bd ND{1,5}"), ("police", "bp ND{1,5}"),
        ("state", "bw ND{1,5}"), ("state", "thw ND{3,5}"), ("army", "y DDDDDD"), ("army", "x DDDD"),
        ("dealer", "L{1,3} 06D{2,5}"), ("veteran", "L{1,3} 07D{2,5}"), ("temporary", "L{1,3} 03D{3,4}"),
        ("temporary", "L{1,3} 04D{3,4}"), ("temporary", "L{1,3} ND{1,3}A"), ("state", "<land> ND{0,5}"),
    ),
    # Dz.U. 2022 poz. 1849: W and six digits diplomatic; U and letter the armed forces; HP police and other services;
    # professional plates with P after the district, temporary ones a letter, a digit and four digits.
    "PL": (
        ("diplomatic", "w DDDDDD"), ("army", "uL DDDDD"), ("army", "uL DDDDt"), ("police", "hpL LDDD"),
        ("police", "hpL DDLL"), ("state", "hL L DDDDD"), ("dealer", "PD DDDDp"), ("dealer", "PD DDpDD"),
        ("temporary", "PD DDDD"), ("temporary", "PD DDDDD"), ("temporary", "PD DDDL"),
    ),
    # KDV § 26 and KFG § 48: BD, BP, BH, FV, JW, PT... are bodies; the second letter D with a province is diplomatic.
    "AT": (
        ("diplomatic", "wd DDD{0,3}"), ("diplomatic", "wk DDD{0,3}"), ("police", "bp D{2,6}"), ("army", "bh D{2,6}"),
        ("state", "bg D{2,6}"), ("state", "fv D{2,6}"), ("state", "jw D{2,6}"), ("state", "pt D{2,6}"),
        ("state", "bb D{2,6}"),
    ),
    # RDW: CD, CDJ, BN-GN; trailers O and W series; forces D, KL, KM, LM; dealers FF, HA, HF, HH.
    "NL": (
        ("diplomatic", "cd-DDD{0,3}"), ("diplomatic", "cdj-DDD"), ("army", "dm-DD-DD"), ("army", "kl-DD-DD"),
        ("army", "km-DD-DD"), ("army", "kn-DD-DD"), ("army", "kz-DD-DD"), ("army", "lm-DD-DD"), ("army", "DD-kl-DD"),
        ("dealer", "ff-DD-DD"), ("dealer", "ha-DD-DD"), ("dealer", "hf-DD-DD"), ("dealer", "hh-DD-DD"),
        ("trailer", "oL-DD-LL"), ("trailer", "wL-DD-LL"), ("temporary", "zz-DD-DD"), ("state", "aa-DD{0,2}"),
    ),
    # Arrêté du 9 février 2009: CD, CMD, C, K diplomatic; eight digits the army; WW and W provisional.
    "FR": (
        ("diplomatic", "DDD cd DDD"), ("diplomatic", "DD cd DDD"), ("diplomatic", "DDD c DDD"),
        ("diplomatic", "DDD k DDD"), ("army", "DDDD DDDD"), ("temporary", "ww-DDD-LL"), ("dealer", "w-DDD-LL"),
    ),
    # Real Decreto 2822/1998, Anexo XVIII: CD, CC, OI, TA; ET, EA, FN forces; PGC, DGP police; R trailers;
    # H historic; P, S, V temporary and trade.
    "ES": (
        ("diplomatic", "cd DDD DDD"), ("diplomatic", "cc DDD DDD"), ("diplomatic", "oi DDD DDD"),
        ("diplomatic", "ta DDD DDD"), ("army", "et DDDDD"), ("army", "ea DDDDD"), ("army", "fn DDDDD"),
        ("police", "pgc DDDDc"), ("police", "dgp DDDDL"), ("state", "pme DDDD"), ("trailer", "r DDDD LLL"),
        ("veteran", "h DDDD LLL"), ("temporary", "p DDDD LLL"), ("dealer", "s DDDD LLL"), ("dealer", "v DDDD LLL"),
    ),
    # D.P.R. 495/1992 art. 245-258: CD, UN; EI, MM, AM, CC, GF; trailers XA; P for test drives.
    "IT": (
        ("diplomatic", "cd DDD LL"), ("diplomatic", "un DDD LL"), ("army", "ei LL DDD"), ("army", "mm LL DDD"),
        ("army", "am LL DDD"), ("police", "cc LL DDD"), ("police", "gf DDD LL"), ("trailer", "xa DDD LL"),
        ("dealer", "Xp DDDDD"),
    ),
    # 326/2011. Korm. rendelet: CD, DT, CK, OT; H and a letter forces; R and a letter police; E, V, Z, P, SP temporary
    # and test; trailers X, Y, W.
    "HU": (
        ("diplomatic", "cd DDD-DDD"), ("diplomatic", "dt DDD-DDD"), ("diplomatic", "ck DDD-DDD"), ("army", "hL DD-DD"),
        ("police", "rL DD-DD"), ("dealer", "p DDDDD"), ("dealer", "sp DD-DD"), ("temporary", "e DDDDD"),
        ("temporary", "v DDDDD"), ("temporary", "z DDDDD"), ("trailer", "xLL-DDD"), ("trailer", "yLL-DDD"),
        ("trailer", "wLL-DDD"),
    ),
    # OMAI 1501/2006: CD, CO, TC; A the army, MAI the interior; red temporary numbers of a county.
    "RO": (
        ("diplomatic", "cd DDD DDD"), ("diplomatic", "co DDD DDD"), ("diplomatic", "tc DDD DDD"),
        ("army", "a DDD{2,6}"), ("police", "mai DDDDD"), ("temporary", "b D{6}"), ("temporary", "<county> D{5,6}"),
    ),
    # Pravilnik o registraciji i označavanju vozila: three digits, a letter, three digits diplomatic; HV army;
    # six digits police.
    "HR": (
        ("diplomatic", "DDD L DDD"), ("army", "hv DDD LL"), ("police", "DDD DDD"), ("temporary", "<town> rp DDD"),
        ("veteran", "pv DDD LL"),
    ),
    "SI": (("diplomatic", "cd DD LDD"), ("diplomatic", "m DD DDD"), ("police", "p DDD-DDD"), ("army", "sv LL-DDD")),
    "IE": (("temporary", "zz DDDDD"), ("veteran", "zv DDDD{0,2}")),
    # DIV: CD; Q trailers, O oldtimers, Z dealers, Y test drives, X temporary, after the digit.
    "BE": (
        ("diplomatic", "cd-LL-DDD"), ("trailer", "N-qLL-DDD"), ("trailer", "qLL-DDD"), ("veteran", "N-oLL-DDD"),
        ("veteran", "oLL-DDD"), ("dealer", "N-zLL-DDD"), ("dealer", "N-yLL-DDD"), ("temporary", "N-xLL-DDD"),
    ),
    "PT": (
        ("diplomatic", "DDD-cdDDD"), ("diplomatic", "DDD-ccDDD"), ("diplomatic", "DDD-fmDDD"), ("army", "mg-DD-DD"),
        ("army", "mx-DD-DD"), ("army", "am-DD-DD"), ("army", "ap-DD-DD"), ("police", "L-DDDD"),
        ("trailer", "L-DDDDDD"),
    ),
    # Numbers by the kind of vehicle, Bekendtgørelse om registrering af køretøjer: 76, 77 diplomatic.
    "DK": (("diplomatic", "LL 76 DDD"), ("diplomatic", "LL 77 DDD"), ("trailer", "LL DDDD"), ("army", "DDDDD")),
    "SE": (("diplomatic", "LL DDD L"), ("army", "DDDD{1,3}")),
    "NO": (("diplomatic", "cd DDDDD"), ("army", "DDDDD{0,1}"), ("dealer", "LL DDD")),
    "FI": (("diplomatic", "cd-DDDD"), ("diplomatic", "c-DDDDD"), ("army", "sa-DDD{1,3}"), ("trailer", "dLL-DDD")),
    "CH": (("army", "m DDDDD"), ("diplomatic", "cd <canton> DD DD"), ("diplomatic", "cc <canton> DD DD")),
    "LT": (("diplomatic", "DD D DDD"), ("trailer", "LL DDD"), ("army", "lk DDDD")),
    "LV": (("diplomatic", "cd-DDDD"), ("diplomatic", "cc-DDDD"), ("army", "la-DDDD"), ("dealer", "tr-DDDD")),
    "EE": (("diplomatic", "cd DDDD"), ("diplomatic", "cmd DDDD"), ("army", "DDDD ml"), ("dealer", "p DDDD")),
    "BG": (
        ("diplomatic", "c DDDD"), ("diplomatic", "cc DDDD"), ("diplomatic", "ct DDDD"), ("army", "ba DDDDDD"),
        ("temporary", "DDD b DDD"), ("temporary", "DDD m DDD"),
    ),
    "GR": (("diplomatic", "dc-DDDD"), ("police", "ea-DDDDD"), ("army", "ex-DDDDD")),
    "LU": (("diplomatic", "cd DD-DD"), ("state", "aa DDDD"), ("army", "DDDDD")),
    "UA": (("diplomatic", "d DDD DDD"), ("diplomatic", "cdp DDD"), ("police", "DDDD DD"), ("army", "DDDD LD")),
}  # fmt: skip
