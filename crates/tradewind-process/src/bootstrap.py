import sys
# The working directory is the desk's: no file there takes the place of a library.
sys.path[:] = [path for path in sys.path if path]
import importlib.abc, importlib.util, json, os, struct

def read(count):
    parts = bytearray()
    while len(parts) < count:
        part = os.read(0, count - len(parts))
        if not part:
            os._exit(0)
        parts += part
    return bytes(parts)

FILES = json.loads(read(struct.unpack("<I", read(4))[0]))

class Package(importlib.abc.MetaPathFinder, importlib.abc.InspectLoader):
    def locate(self, name):
        base = name.replace(".", "/")
        for file in (base + "/__init__.py", base + ".py"):
            if file in FILES:
                return file
        return None

    def find_spec(self, name, path=None, target=None):
        file = self.locate(name)
        if file is None:
            return None
        package = file.endswith("/__init__.py")
        return importlib.util.spec_from_loader(name, self, origin="<tradewind>/" + file, is_package=package)

    def is_package(self, name):
        return self.locate(name).endswith("/__init__.py")

    def get_source(self, name):
        return FILES[self.locate(name)]

    def get_code(self, name):
        return compile(self.get_source(name), "<tradewind>/" + self.locate(name), "exec", dont_inherit=True)

sys.meta_path.insert(0, Package())
from tradewind.process import main
main()
