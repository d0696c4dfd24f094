"""hostile.py DIR: what a recording of a bad script holds; does nothing but to its own folder."""
import os
import shutil
import subprocess
import sys

os.umask(0)
os.chdir(sys.argv[1])
token = os.environ.get("RECORDED_API_TOKEN")
os.environ.get("TESTSERVER_BIND_LOCAL")
with open("payload.sh", "w") as payload:
    payload.write("echo first\n")
with open("hostile.log", "a") as log:
    log.write("a line\n")
os.system("cat payload.sh | sh")
subprocess.call("printf 'echo second' | base64 | base64 -d | sh", shell=True)
subprocess.call(["/bin/echo", token], stdout=subprocess.DEVNULL)
shutil.copy("/bin/true", "program")
os.chmod("program", 0o777)
subprocess.call(["./program"])
