"""Texts that try to be more than text, or to leave the box in which a page puts them."""

HOSTILE = [
    "<script>document.title = 'owned'; alert(1)</script>",
    "<img src=x onerror=\"alert(2)\"> <svg onload=alert(3)> <a href='javascript:alert(4)'>click</a>",
    "\"><iframe src='http://127.0.0.1:9/'></iframe><style>* { display: none }</style>",
    "{{ 7 * 7 }} {% include '/etc/passwd' %} ${7*7} <%= 7*7 %>",
    "</title></style></script></textarea><h1>Another heading</h1>",
    "costs $5 to $10, Pay $$ now, \\frac{1}{2} `code` **bold** [link](http://127.0.0.1:9/)",
]
MARKS = "\u0301\u0330" * 150
UNRULY_TEXTS = [
    "An override \u202eand its end",
    "An isolate \u2069\u202e left too early",
    "A paragraph \u2029\u202e of its own",
    f"marks on a{MARKS} letter",
]
