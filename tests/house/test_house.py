"""The nevers of docs/architecture.md, by number."""
import os
import re
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from house import objects, rooms, sources

C_FILES = list(sources.files(".c"))
ALL_FILES = list(sources.files(".c", ".h"))


class House(unittest.TestCase):
    def none_of(self, offences):
        offences = list(offences)
        self.assertFalse(offences, "\n" + "\n".join(offences))

    def objects(self):
        found = objects.objects(os.environ["JIDGATE_BUILD"], C_FILES)
        self.assertEqual(set(C_FILES) - set(found), set(), "not built")
        return found.items()


class Includes(House):
    def may_include(self, file, other):
        here, there = (sources.room_of(it, rooms.FLOORS) for it in (file, other))
        if here == there or other in rooms.DOORS.get(here, ()) or other in rooms.DOORS.get(file, ()):
            return True
        return rooms.FLOORS[there] < rooms.FLOORS[here]

    def test_1_an_include_goes_down_or_stays_in_its_room(self):
        self.none_of(f"{file} includes {other}" for file in ALL_FILES for mark, other in sources.includes(file)
                     if mark == '"' and not self.may_include(file, other))

    def test_2_a_library_header_belongs_to_one_room(self):
        self.none_of(f"{file} includes <{header}>" for file in ALL_FILES for mark, header in sources.includes(file)
                     for library, home in rooms.LIBRARIES.items()
                     if mark == "<" and header.startswith(library) and not file.startswith(home))

    def test_2_expat_and_strophe_are_in_one_file_each(self):
        for header in ("expat.h", "strophe.h"):
            users = [file for file in ALL_FILES if ("<", header) in sources.includes(file)]
            self.assertLessEqual(len(users), 1, users)


class Symbols(House):
    def prefixes(self, source):
        """The file's name or a beginning of it, its room's name, and the types that its header declares."""
        folder, stem = source[:-2].rsplit("/", 1)
        words = stem.split("_")
        beginnings = {"_".join(words[:n]) for n in range(1, len(words) + 1)}
        types = {name for header in beginnings for name in sources.types_of(f"{folder}/{header}.h")}
        return beginnings | types | {folder.rsplit("/", 1)[-1]}

    def fits(self, source, name):
        if source == "core/main.c":
            return name == "main"
        if name.startswith("driver_"):
            return source.startswith("bridges/") or source == "core/drivers.c"
        return name.startswith(tuple(prefix + "_" for prefix in self.prefixes(source)))

    def test_2_a_symbol_begins_with_the_name_of_its_file(self):
        self.none_of(f"{source}: {name}" for source, path in self.objects() for name in objects.exported(path)
                     if not self.fits(source, name))

    def test_2_no_symbol_looks_like_one_of_a_library(self):
        self.none_of(f"{source}: {name}" for source, path in self.objects() for name in objects.exported(path)
                     if name.startswith(rooms.TABOO))

    def test_3_and_6_nothing_blocks_overruns_or_takes_memory_of_its_own(self):
        self.none_of(f"{source}: {name}" for source, path in self.objects() for names, homes in rooms.BANNED.items()
                     for name in objects.used(path) & set(names.split())
                     if source not in homes and name not in rooms.MAY_BLOCK.get(source, "").split())

    def test_4_a_library_is_called_from_its_room_only(self):
        self.none_of(f"{source}: {name}" for source, path in self.objects() for name in objects.used(path)
                     for prefix, home in rooms.CALLS.items()
                     if name.startswith(prefix) and not source.startswith(home))

    def test_5_there_is_no_mutable_global_and_no_function_static(self):
        self.none_of(f"{source}: {name}" for source, path in self.objects() for name in objects.mutable(path))


class Sizes(House):
    def test_7_no_file_is_too_long(self):
        self.none_of(f"{file}: {n} lines" for file in ALL_FILES
                     if (n := sources.text_of(file).count("\n")) > rooms.MOST_LINES)

    def test_7_no_function_is_too_long(self):
        self.none_of(f"{file}:{line}: {name} has {n} lines" for file in C_FILES
                     for line, name, n in sources.functions(file) if n > rooms.MOST_FUNCTION)

    def test_7_nothing_is_nested_too_deep(self):
        deep = re.compile(r"^\t{%d,}(?:\} )?(?:if|for|while|switch|do|else)\b" % (rooms.MOST_NESTING + 1))
        self.none_of(f"{file}:{number}" for file in C_FILES
                     for number, line in enumerate(sources.text_of(file).splitlines(), 1) if deep.match(line))


class Manners(House):
    def test_8_nobody_logs_what_he_returns(self):
        both = re.compile(r"log_(?:error|warn)\((?:[^;]|\n)*;\s*return (?:-1|err_)")
        self.none_of(f"{file}: {match.group(0)[:60]!r}" for file in C_FILES
                     for match in both.finditer(sources.text_of(file)))

    def test_9_no_typedef_hides_a_struct(self):
        self.none_of(f"{file}: {line}" for file in ALL_FILES
                     for line in re.findall(r"^typedef struct.*$", sources.text_of(file), re.M))

    def test_the_repository_names_no_machine(self):
        marks = re.compile(r"/work/|/root/|deb\.debian\.org|registry\.npmjs")
        here = [file for pattern in ("*.md", "*.txt", "docs/*", ".ci/*", "config/**/*", "core/**/*", "bridges/*", "tests/**/*")
                for file in sources.TOP.glob(pattern)]
        self.none_of(str(file.relative_to(sources.TOP)) for file in here
                     if file.is_file() and file.name != "test_house.py" and file.suffix not in (".pyc",)
                     and marks.search(file.read_text(encoding="utf-8", errors="replace")))


class Ready(unittest.TestCase):
    def test_the_house_is_looked_at_through_windows_that_open(self):
        """A check that finds nothing because it looks at nothing is none."""
        self.assertGreater(len(C_FILES), 50)
        self.assertTrue(any(name for file in C_FILES for _, name, _ in sources.functions(file)))
        found = objects.objects(os.environ["JIDGATE_BUILD"], C_FILES)
        self.assertIn("calloc", objects.used(found["core/base/mem.c"]))
        self.assertIn("mem_new", objects.exported(found["core/base/mem.c"]))
        self.assertTrue(any("uv_run" in objects.used(path) for path in found.values()))



class Documents(House):
    def test_10_every_file_has_its_place_in_the_architecture(self):
        text = (sources.TOP / "docs/architecture.md").read_text(encoding="utf-8")
        rooms_of_text = {room: text.split(f"**{room}**", 1)[-1].split("\n**core", 1)[0].split("\n## ", 1)[0]
                         for room in rooms.FLOORS if room != "tests"}
        self.none_of(file for file in ALL_FILES
                     if not re.search(r"`%s(?:\.[ch])?`" % re.escape(file.rsplit("/", 1)[1][:-2]),
                                      rooms_of_text[sources.room_of(file, rooms.FLOORS)]))

    def test_10_the_readme_names_only_documents_that_exist(self):
        text = (sources.TOP / "README.md").read_text(encoding="utf-8")
        self.none_of(link for link in re.findall(r"\]\(([^)#]+)\)", text) if not (sources.TOP / link).exists())

    def test_each_pain_has_its_tests(self):
        tests = set()
        for file in (sources.TOP / "tests").rglob("*.c"):
            tests |= {"/".join(it) for it in re.findall(r"^(?:Parameterized)?Test\((?:[^,]*\*\w+, )?(\w+), (\w+)",
                                                        file.read_text(encoding="utf-8"), re.M)}
        for file in (sources.TOP / "tests/site").glob("test_*.py"):
            tests |= {f"{file.stem}.{it}" for it in re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))}
        named = re.findall(r"`(\w+[/.]\w+)`", (sources.TOP / "docs/pains.md").read_text(encoding="utf-8").split("| --- |", 1)[1])
        self.assertGreater(len(named), 30)
        self.none_of(it for it in named if it not in tests)
