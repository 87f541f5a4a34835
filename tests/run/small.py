"""What small tests of commands share: files of a site or library of their own,
and picket called on them."""

import os
import subprocess

PICKET = os.environ['PICKET']

os.umask(0o022)


def write(path, text):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    with open(path, 'w', encoding='ascii') as f:
        f.write(text)
    os.chmod(path, 0o644)


def start(*args, lib=None, env=None, **kw):
    """lib: the folder of the library, instead of the real one."""
    env = dict(os.environ, **(env or {}))
    if lib is not None:
        env['PICKET_LIB'] = os.path.abspath(lib)
    return subprocess.Popen([PICKET] + list(args), stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            env=env, **kw)


def picket(*args, **kw):
    p = start(*args, **kw)
    out, err = p.communicate(timeout=120)
    return p.returncode, out.decode(), err.decode()
