"""Odd addresses, in four tables: dressed up, spelled otherwise, unusual but usable, and malformed."""

from people import pick


def decorate_case(address):
    """One of the ways people type capitals."""
    local, domain = address.split("@")
    return pick([local.title() + "@" + domain, address.upper(), local.title() + "@" + domain.title(), local.upper() + "@" + domain])


def amid(address, what):
    """Put `what` inside the local part, behind its third character."""
    return address[:3] + what + address[3:]


def wide(text):
    """ASCII as full-width forms, which an input method for Japanese or Chinese leaves behind."""
    return "".join(chr(ord(c) + 0xFEE0) for c in text)


# Ways to write an address that do not change who it is: (kind, why, how).
DRESSES = [
    ("blanks", "blanks around", lambda p, a: f"  {a} "),
    ("blanks", "no-break space behind (copied from a web page)", lambda p, a: a + "\u00a0"),
    ("blanks", "tabs around", lambda p, a: f"\t{a}\t"),
    ("blanks", "ideographic spaces around", lambda p, a: f"\u3000{a}\u3000"),
    ("blanks", "narrow no-break space in front", lambda p, a: "\u202f" + a),
    ("blanks", "em space behind", lambda p, a: a + "\u2003"),
    ("blanks", "line break behind the address, inside the quotes", lambda p, a: a + "\n"),
    ("invisible", "zero-width space in the local part", lambda p, a: amid(a, "\u200b")),
    ("invisible", "byte order mark U+FEFF in front", lambda p, a: "\ufeff" + a),
    ("invisible", "soft hyphen in the domain", lambda p, a: a.replace("@", "@\u00ad")[:-2] + "\u00ad" + a[-2:]),
    ("invisible", "word joiner U+2060 in the local part", lambda p, a: amid(a, "\u2060")),
    ("invisible", "left-to-right mark behind", lambda p, a: a + "\u200e"),
    ("invisible", "embedded direction marks U+202A and U+202C around", lambda p, a: f"\u202a{a}\u202c"),
    ("invisible", "zero-width joiner in the local part", lambda p, a: amid(a, "\u200d")),
    ("invisible", "zero-width space between blank and address", lambda p, a: f" \u200b {a}"),
    ("width", "full-width throughout", lambda p, a: wide(a)),
    ("width", "full-width at sign", lambda p, a: a.replace("@", "\uff20")),
    ("width", "full-width full stop in the domain", lambda p, a: a[:a.rindex(".")] + "\uff0e" + a[a.rindex(".") + 1:]),
    ("wrapped", "mailto: in front", lambda p, a: "mailto:" + a),
    ("wrapped", "MAILTO: in capitals", lambda p, a: "MAILTO:" + a.upper()),
    ("wrapped", "name and angle brackets", lambda p, a: f"{p.first} {p.last} <{a}>"),
    ("wrapped", "quoted name with a comma, then angle brackets", lambda p, a: f'"{p.last}, {p.first}" <{a}>'),
    ("wrapped", "angle brackets only", lambda p, a: f"<{a}>"),
    ("wrapped", "mailto: inside angle brackets", lambda p, a: f"{p.first} <mailto:{a}>"),
    ("domain", "full stop behind the domain", lambda p, a: a + "."),
    ("wrapped", "everything at once", lambda p, a: f" MailTo:{amid(a, chr(0x200b)).title()}.\u00a0"),
]

# Two spellings of one address where the letters themselves differ: (kind, why, first, last, in the org, in the roster).
SPELLINGS = [
    ("letters", "decomposed accents against composed ones", "José", "Ríos", "jos\u00e9.r\u00edos@example.com", "jose\u0301.ri\u0301os@example.com"),
    ("letters", "composed accents against decomposed ones", "Zoë", "Dubé", "zoe\u0308.dube\u0301@example.org", "zo\u00eb.dub\u00e9@example.org"),
    ("letters", "capitals outside ASCII", "Åsa", "Öhrn", "\u00e5sa.\u00f6hrn@example.com", "\u00c5SA.\u00d6HRN@example.com"),
    ("letters", "ligature fi (U+FB01) in the local part", "Fiona", "Finch", "fiona.finch@example.com", "\ufb01ona.finch@example.com"),
    ("letters", "kelvin sign (U+212A) for a K", "Kit", "Kettle", "kit.kettle@example.com", "\u212ait.kettle@example.com"),
    ("letters", "superscript two in the local part", "Dana", "Reyes", "dana.reyes2@example.com", "dana.reyes\u00b2@example.com"),
    ("letters", "half-width katakana for full-width", "ハナ", "モリ", "ハナ.モリ@example.com", "ﾊﾅ.ﾓﾘ@example.com"),
    ("domain", "domain in Unicode, A-label in the org", "Greta", "Lesser", "greta.lesser@xn--bcher-kva.example", "greta.lesser@bücher.example"),
    ("domain", "domain in Unicode capitals, A-label in the org", "Otto", "Blatt", "otto.blatt@xn--bcher-kva.example", "Otto.Blatt@BÜCHER.example"),
    ("domain", "Cyrillic domain, A-label in the org", "Вера", "Мороз", "vera.moroz@xn--e1afmkfd.example", "vera.moroz@пример.example"),
    ("domain", "A-label in the roster, Unicode in the org", "Ines", "Buch", "ines.buch@bücher.example", "ines.buch@xn--bcher-kva.example"),
]

# Unusual, usable and in nobody's hands: (kind, why, first, last, address).
LOCAL_64 = "customer-care-night-shift-team-of-the-southern-harbour-district-"
LABEL_63 = "the-longest-label-that-a-name-server-will-take-is-sixty-three-x"
UNUSUAL = [
    ("limits", "local part of exactly 64 octets", "Harbour", "Desk", f"{LOCAL_64}@example.com"),
    ("limits", "domain label of exactly 63 octets", "Lena", "Langlabel", f"lena@{LABEL_63}.example"),
    ("limits", "exactly 254 octets in all", "Long", "Addressee", f"{LOCAL_64}@{'n' * 63}.{'o' * 63}.{'p' * 53}.example"),
    ("letters", "local part in Cyrillic, domain too", "Галина", "Зоря", "галина.зоря@пример.test"),
    ("letters", "local part in Han characters", "梅", "林", "林梅@example.com"),
    ("look-alike", "Cyrillic а (U+0430) in the local part: not the org's paula.north", "Paula", "North", "p\u0430ula.north@example.com"),
    ("look-alike", "ß is not ss: lower-cased, not folded", "Uwe", "Gross", "uwe.groß@example.com"),
    ("look-alike", "plus tag: not the org's paula.north", "Paula", "North", "paula.north+chat@example.com"),
    ("look-alike", "dots count: not the org's paula.north", "Paula", "North", "paulanorth@example.com"),
    ("look-alike", "same local part, other domain", "Paula", "North", "paula.north@example.net"),
    ("look-alike", "two letters swapped: not the org's paula.north", "Paula", "North", "paual.north@example.com"),
    ("symbols", "apostrophe in the local part", "Niamh", "O'Shea", "niamh.o'shea@example.com"),
    ("symbols", "other signs a dot-atom may hold", "Research", "Desk", "r&d/night=2_x{y}~!#$%^*?|`@example.com"),
    ("symbols", "address that starts with a plus sign", "Night", "Desk", "+nightdesk@example.com"),
    ("symbols", "address that starts with an equals sign", "Same", "Desk", "=samedesk@example.com"),
    ("domain", "digits as an inner label", "Pia", "Zahl", "pia.zahl@123.example"),
    ("domain", "six labels", "Deep", "Down", "deep.down@a.b.c.d.example.com"),
]

# Addresses that are none, each for its own reason: (why, how).
MALFORMED = [
    ("no @", lambda a: a.replace("@", ".at.")),
    ("a word instead of an address", lambda a: "n/a"),
    ("two @ in a row", lambda a: a.replace("@", "@@")),
    ("two @: two domains", lambda a: a + "@example.org"),
    ("nothing before the @", lambda a: a[a.index("@"):]),
    ("nothing behind the @", lambda a: a[:a.index("@") + 1]),
    ("blank in the local part", lambda a: a.replace(".", " ", 1)),
    ("blank in the domain", lambda a: a.replace("@", "@ ")),
    ("no-break space in the local part", lambda a: a.replace(".", "\u00a0", 1)),
    ("line break in the middle of the address", lambda a: a.replace("@", "@\n")),
    ("quoted local part", lambda a: '"' + a.replace(".", " ", 1).replace("@", '"@')),
    ("dot in front of the local part", lambda a: "." + a),
    ("dot at the end of the local part", lambda a: a.replace("@", ".@")),
    ("two dots in the local part", lambda a: a.replace(".", "..", 1)),
    ("dot in front of the domain", lambda a: a.replace("@", "@.")),
    ("two dots in the domain", lambda a: a[:a.index("@")] + "@example..com"),
    ("domain of a single label", lambda a: a[:a.index("@")] + "@example"),
    ("last label all digits", lambda a: a[:a.index("@")] + "@example.123"),
    ("IP address for a domain", lambda a: a[:a.index("@")] + "@192.0.2.17"),
    ("bracketed IP address for a domain", lambda a: a[:a.index("@")] + "@[192.0.2.17]"),
    ("hyphen in front of a label", lambda a: a[:a.index("@")] + "@-care.example"),
    ("hyphen at the end of a label", lambda a: a[:a.index("@")] + "@care-.example"),
    ("underscore in the domain", lambda a: a[:a.index("@")] + "@care_team.example"),
    ("domain label of 64 octets", lambda a: a[:a.index("@")] + f"@{LABEL_63}x.example"),
    ("local part of 65 octets", lambda a: f"{LOCAL_64}x@example.com"),
    ("local part of 33 letters but 66 octets", lambda a: "ж" * 33 + "@example.com"),
    ("255 octets in all", lambda a: f"{LOCAL_64}@{'n' * 63}.{'o' * 63}.{'p' * 54}.example"),
    ("two addresses, semicolon between", lambda a: f"{a}; second.{a}"),
    ("two addresses, comma between", lambda a: f"{a},second.{a}"),
    ("two addresses on two lines", lambda a: f"{a}\nsecond.{a}"),
    ("comma for a dot", lambda a: a[:a.index("@")] + "@example,com"),
    ("comment behind the address", lambda a: a + " (on leave)"),
    ("angle bracket not closed", lambda a: f"Desk <{a}"),
    ("a spreadsheet formula for an address", lambda a: f'=HYPERLINK("mailto:{a}","{a}")'),
]
