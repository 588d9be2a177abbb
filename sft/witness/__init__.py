"""A witness of logs: it cosigns what goes on what it cosigned before, and nothing else (C2SP tlog-witness).

    key_file    the witness's name and keys, made at its first start
    cosigned    the newest checkpoint of each log, durable before it is answered
    cosigner    compares, persists and cosigns, one request at a time
    web         HTTP: add-checkpoint, and the newest checkpoint of each log

Rules. It stands alone, beside a server or far from any: no vault, database or session, and no key but its own. It says
nothing of what a log holds; all that it promises is that two logs under one name never both have its word.
"""
