"""What a country is called: every usual code and name, as the project's two letters."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

_OURS = {"GB": "UK"}
"""Two letters that the project writes otherwise than ISO 3166: as British plates themselves do."""

# ISO 3166-1 as of 2025: two letters and three, of every country; XK and XKX are what Kosovo is called meanwhile.
_ISO = (
    "ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA AZAZE BABIH BBBRB "
    "BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA BSBHS BTBTN BVBVT BWBWA BYBLR "
    "BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR CNCHN COCOL CRCRI CUCUB CVCPV CWCUW CXCXR "
    "CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA DODOM DZDZA ECECU EEEST EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK "
    "FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO GFGUF GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS "
    "GTGTM GUGUM GWGNB GYGUY HKHKG HMHMD HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN "
    "ISISL ITITA JEJEY JMJAM JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO "
    "LBLBN LCLCA LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL MKMKD "
    "MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ NANAM NCNCL NENER "
    "NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL OMOMN PAPAN PEPER PFPYF PGPNG PHPHL PKPAK PLPOL PMSPM "
    "PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB RURUS RWRWA SASAU SBSLB SCSYC SDSDN SESWE SGSGP "
    "SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR SSSSD STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF "
    "TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN TOTON TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY "
    "UZUZB VAVAT VCVCT VEVEN VGVGB VIVIR VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF ZMZMB ZWZWE"
    " XKXKX"
)

# "Distinguishing Signs Used on Vehicles in International Traffic", as notified to the United Nations under the
# conventions of 1949 and 1968, where they are neither of the two of ISO; former ones that are still seen (SF,
# SLO...) among them. Where a sign means another country in ISO (ES, BRN, LB...), ISO is followed.
_SIGNS = (
    "A:AT ANG:AO B:BE BDS:BB BHT:BT BP:BW BRG:GY BRU:BN BUR:MM BVI:VG C:CU CAM:CM CDN:CA CGO:CD D:DE DY:BJ E:ES "
    "EAK:KE EAT:TZ EAU:UG EAZ:TZ EW:EE F:FR FL:LI G:GA GBA:GG GBG:GG GBJ:JE GBM:IM GBZ:GI GCA:GT H:HU HKJ:JO "
    "I:IT J:JP K:KH KAN:KN KS:KG L:LU LAR:LY M:MT MAL:MY MOC:MZ N:NO NAU:NR NEP:NP NMK:MK P:PT PMR:MD Q:QA "
    "RA:AR RB:BW RC:TW RCA:CF RCB:CG RCH:CL RG:GN RH:HT RI:ID RIM:MR RKS:XK RL:LB RM:MG RMM:ML RN:NE ROK:KR "
    "RP:PH RSM:SM RT:TG S:SE SCN:KN SF:FI SLO:SI SME:SR SUD:SD T:TH TCH:TD TMN:TM TS:SO U:UY UAE:AE V:VA WAG:GM "
    "WAL:SL WAN:NG WD:DM WG:GD WL:LC WV:VC YAR:YE YV:VE Z:ZM ZRE:CD"
)

# Codes of the International Olympic Committee, which lists made by hand confuse with those of ISO.
_SPORTS = "BUL:BG CRO:HR DEN:DK GER:DE GRE:GR LAT:LV NED:NL POR:PT SUI:CH"

# What European countries are called in English, Czech, Slovak, German, Polish and at home; without accents.
_NAMES = {
    "AD": "Andorra",
    "AL": "Albania Albanie Albansko Albanien Shqiperia",
    "AT": "Austria Rakousko Rakusko Osterreich Oesterreich",
    "BA": "Bosnia_and_Herzegovina Bosna_a_Hercegovina Bosnien_und_Herzegowina Bosnia_i_Hercegowina "
    "Bosna_i_Hercegovina Bosnia Bosna Bosnien",
    "BE": "Belgium Belgie Belgicko Belgien Belgia Belgique",
    "BG": "Bulgaria Bulharsko Bulgarien Bulgariya",
    "BY": "Belarus Belorusko Bielorusko Weissrussland Bialorus",
    "CH": "Switzerland Svycarsko Svajciarsko Schweiz Szwajcaria Suisse Svizzera",
    "CY": "Cyprus Kypr Zypern Cypr Kypros",
    "CZ": "Czechia Czech_Republic Cesko Ceska_republika Tschechien Tschechische_Republik Czechy Republika_Czeska",
    "DE": "Germany Nemecko Deutschland Niemcy Spolkova_republika_Nemecko BRD",
    "DK": "Denmark Dansko Danemark Dania Danmark",
    "EE": "Estonia Estonsko Estland Eesti",
    "ES": "Spain Spanelsko Spanielsko Spanien Hiszpania Espana",
    "FI": "Finland Finsko Finnland Finlandia Suomi",
    "FR": "France Francie Francuzsko Frankreich Francja",
    "GB": "United_Kingdom Great_Britain Velka_Britanie Velka_Britania Spojene_kralovstvi Spojene_kralovstvo "
    "Vereinigtes_Konigreich Grossbritannien Wielka_Brytania Zjednoczone_Krolestwo England Anglie",
    "GR": "Greece Recko Grecko Griechenland Grecja Ellada Hellas",
    "HR": "Croatia Chorvatsko Kroatien Chorwacja Hrvatska",
    "HU": "Hungary Madarsko Ungarn Wegry Magyarorszag",
    "IE": "Ireland Irsko Irland Irlandia Eire",
    "IS": "Iceland Island Islandia",
    "IT": "Italy Italie Taliansko Italien Wlochy Italia",
    "LI": "Liechtenstein Lichtenstejnsko Lichtenstajnsko Liechtensteinsko",
    "LT": "Lithuania Litva Litauen Litwa Lietuva",
    "LU": "Luxembourg Lucembursko Luxembursko Luxemburg Luksemburg",
    "LV": "Latvia Lotyssko Lettland Lotwa Latvija",
    "MC": "Monaco Monako",
    "MD": "Moldova Moldavsko Moldawien Moldawia",
    "ME": "Montenegro Cerna_Hora Cierna_Hora Czarnogora Crna_Gora",
    "MK": "North_Macedonia Macedonia Severni_Makedonie Severne_Macedonsko Nordmazedonien Macedonia_Polnocna "
    "Severna_Makedonija",
    "MT": "Malta",
    "NL": "Netherlands The_Netherlands Nizozemsko Nizozemi Holandsko Niederlande Holandia Niderlandy Nederland",
    "NO": "Norway Norsko Norwegen Norwegia Norge",
    "PL": "Poland Polsko Polen Polska",
    "PT": "Portugal Portugalsko Portugalia",
    "RO": "Romania Rumunsko Rumanien Rumaenien Rumunia",
    "RS": "Serbia Srbsko Serbien Srbija",
    "RU": "Russia Rusko Russland Rosja Rossiya",
    "SE": "Sweden Svedsko Schweden Szwecja Sverige",
    "SI": "Slovenia Slovinsko Slowenien Slowenia Slovenija",
    "SK": "Slovakia Slovak_Republic Slovensko Slovenska_republika Slowakei Slowakische_Republik Slowacja",
    "TR": "Turkey Turecko Turkei Tuerkei Turcja Turkiye",
    "UA": "Ukraine Ukrajina Ukraina",
    "XK": "Kosovo Kosowo",
}


@lru_cache(maxsize=1024)
def country_code(name: str) -> str:
    """The project's two letters for a country, by its code or name in any usual spelling; empty for none.

    Codes are those of ISO 3166 (DE, DEU) and the signs that vehicles bear (D); GB is UK.
    Raises ValueError where no country is called so.
    """
    key = _normal(name)
    if not key and not name.strip():
        return ""
    if name.strip().upper() == "\N{LATIN CAPITAL LETTER C WITH CARON}R":
        return "CZ"  # without its accent it would be Costa Rica
    try:
        return _CODES[key]
    except KeyError:
        raise ValueError(f"{name.strip()[:40]!r} is no country code such as CZ, DE or UK") from None


def _normal(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.replace("\N{LATIN SMALL LETTER SHARP S}", "ss")).upper()
    plain = plain.replace("\N{LATIN CAPITAL LETTER L WITH STROKE}", "L")
    return "".join(c for c in plain if not unicodedata.combining(c) and c.isalnum())


def _codes() -> dict[str, str]:
    codes = {sign: iso for sign, _, iso in (entry.partition(":") for entry in f"{_SPORTS} {_SIGNS}".split())}
    codes.update({_normal(name): iso for iso, names in _NAMES.items() for name in names.split()})
    for entry in _ISO.split():
        codes[entry[2:]] = entry[:2]
    codes.update({entry[:2]: entry[:2] for entry in _ISO.split()})  # two letters are never another country's sign
    codes["UK"] = "GB"
    return {code: _OURS.get(iso, iso) for code, iso in codes.items()}


_CODES = _codes()
COUNTRIES = frozenset(_CODES.values())
"""Every code that `country_code` answers."""
