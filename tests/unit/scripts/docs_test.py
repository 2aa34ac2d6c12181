"""The manual says what the programs do: every setting of the daemon stands in goma-config(5), and nothing
else."""

import json
import re
import unittest
from pathlib import Path

TOP = Path(__file__).resolve().parents[3]


def settings():
    table = (TOP / 'proxy' / 'config.cc').read_text()
    table = table[table.index('setting_table() {') :]
    return re.findall(r'\{"(\w+)", "(GOMA_\w+)", "\w+",\s*"([^"]*)"', table[: table.index('return table;')])


def manual():
    return re.findall(r'\.BR (\w+) ", " (GOMA_\w+)', (TOP / 'scripts/man/goma-config.5').read_text())


class Docs(unittest.TestCase):
    def test_every_setting_is_in_the_manual_in_the_same_order(self):
        self.assertGreater(len(settings()), 10)
        self.assertEqual([(name, variable) for name, variable, _ in settings()], manual())

    def test_the_manual_tells_the_defaults(self):
        text = (TOP / 'scripts/man/goma-config.5').read_text()
        for name, _, default in settings():
            with self.subTest(name):
                entry = text[text.index(f'.BR {name} ",') :].split('.TP')[0]
                self.assertTrue(default in ('', 'localhost') or default in entry, default)

    def test_the_examples_of_the_readme_use_settings_that_exist(self):
        blocks = re.findall(r'(?ms)^```json\n(.*?)^```$', (TOP / 'README.md').read_text())
        self.assertGreater(len(blocks), 1)
        for block in blocks:
            with self.subTest(block):
                self.assertLessEqual(set(json.loads(block)), {name for name, _, _ in settings()})

    def test_every_variable_that_a_page_names_is_read_by_a_program(self):
        sources = [
            p.read_text()
            for top in ('gomacc', 'proxy')
            for p in (TOP / top).rglob('*')
            if p.suffix in ('.cc', '.h')
        ]
        for page in [*sorted((TOP / 'scripts/man').iterdir()), TOP / 'README.md']:
            for name in set(re.findall(r'(?<!^\.TH )\bGOMA_[A-Z_]+', page.read_text(), re.MULTILINE)):
                with self.subTest(f'{page.name}: {name}'):
                    self.assertTrue(any(f'"{name}"' in text for text in sources))


if __name__ == '__main__':
    unittest.main()
