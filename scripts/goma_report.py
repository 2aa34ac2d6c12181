"""What a bug report is made of: texts without secrets, in an archive. Used by goma_ctl.py; no program of its
own."""

import getpass
import io
import os
import re
import tarfile
import time

SECRET = re.compile(
    r'(?i)([\w.-]*(?:token|secret|passw|passphrase|api[-_.]?key|access[-_.]?key|private[-_.]?key|credential'
    r'|authorization|cookie|x-auth)[\w.-]*[=:]\s*)(?:(?:bearer|basic|digest)\s+)?\S+'
)
# Anything in them may be secret, under any name.
SECRET_VARIABLES = ('GOMA_HEADERS', 'GOMA_CREDENTIAL_HELPER')


def redact(text):
    """Hides secrets, the user's name and home folder."""
    text = SECRET.sub(r'\1[hidden]', text)
    text = re.sub(r'://[^/\s@]+@', '://[hidden]@', text)
    home = os.path.expanduser('~')
    if home not in ('/', '~'):
        text = text.replace(home, '~')
    try:
        return re.sub(rf'\b{re.escape(getpass.getuser())}\b', '[user]', text)
    except (KeyError, OSError):
        return text


def environment_text():
    return ''.join(
        f'{name}={"[hidden]" if name in SECRET_VARIABLES else value}\n'
        for name, value in sorted(os.environ.items())
        if name.startswith('GOMA')
    )


def write_archive(path, texts):
    """The texts by name. Returns the bytes of each, without what is secret in it."""
    sizes = {}
    # A temporary beside it and a rename: nothing that somebody else put there is followed or kept.
    temporary = f'{path}.{os.getpid()}'
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), 'wb') as file:
        with tarfile.open(fileobj=file, mode='w:gz') as archive:
            for name, text in texts.items():
                content = redact(text).encode()
                entry = tarfile.TarInfo(f'goma-report/{name}')
                entry.size, entry.mtime = len(content), int(time.time())
                archive.addfile(entry, io.BytesIO(content))
                sizes[name] = len(content)
    os.replace(temporary, path)
    return sizes
