"""Makes the empty database that BuildGrid's tests copy. database.py FOLDER"""

import os
import sys

from postgres import Postgres

with Postgres(empty=True) as database:
    os.makedirs(sys.argv[1])
    database.save(sys.argv[1])
