"""The demo's devices as servers, and the independent tools that look at them: mbpoll and coap-client."""
import sys
from pathlib import Path

from .ports import TCP, UDP
from .process import Child, must_run
from .server import Server
from .waiting import Failed

PEERS = Path(__file__).resolve().parents[3] / "config/demo/peers"


class Device(Server):
    """A program built from config/demo/peers. Its sensors stand still until move()."""

    def __init__(self, folder, programs: Path):
        super().__init__(folder)
        self.programs = Path(programs)


class CoapDevice(Device):
    name = "coap"
    kinds = {"main": UDP}

    def command(self):
        return [self.programs / "demo_coap_device", self.port]

    @property
    def uri(self):
        return f"coap://127.0.0.1:{self.port}"

    # the independent tool
    def get(self, path):
        return must_run(["coap-client-openssl", "-B", "5", "-m", "get", self.uri + path]).strip()

    def put(self, path, value):
        must_run(["coap-client-openssl", "-B", "5", "-m", "put", "-e", value, self.uri + path])

    def move(self):
        self.put("/moving", "on")


class ModbusDevice(Device):
    """Modbus TCP. mbpoll counts from 1, we from 0 as the protocol does."""
    name = "modbus-tcp"

    def command(self):
        return [self.programs / "demo_modbus_device", "tcp", self.port]

    def _mbpoll(self, table, register, *values):
        return must_run(["mbpoll", "-m", "tcp", "-p", self.port, "-a", "1", "-t", table, "-B", "-0", "-r", register,
                         "-1", "-o", "2", "127.0.0.1", *(["--"] if values else []), *values])

    def get(self, table, register):
        """table: mbpoll's -t, so 0 coil, 1 discrete, 3 input, 4 holding, 3:float ... The value as text, 16 bit signed."""
        for line in self._mbpoll(table, register).splitlines():
            if line.startswith(f"[{register}]:"):
                return line.split("\t")[1].split()[-1].strip("()")  # mbpoll: "65524 (-12)"
        raise Failed(f"mbpoll shows no register {register} of table {table}")

    def put(self, table, register, value):
        """A negative number goes as the two's complement: mbpoll knows only what is on the wire."""
        self._mbpoll(table, register, value if ":" in table else value & 0xFFFF)

    def move(self):
        self.put("0", 10, 1)


class ModbusLine(ModbusDevice):
    """Modbus RTU on a serial line made of two pseudo terminals; the same registers on TCP for the tools."""
    name = "modbus-rtu"

    def __init__(self, folder, programs):
        super().__init__(folder, programs)
        self.tty = self.folder / "gateway-end"
        self._device_tty = self.folder / "device-end"
        self.line = None

    def configure(self):
        self.plug()

    def command(self):
        return [self.programs / "demo_modbus_device", "rtu", self._device_tty, self.port]

    def plug(self):
        if self.line and self.line.status is None:
            return
        ends = [f"pty,raw,echo=0,link={end}" for end in (self._device_tty, self.tty)]
        self.line = Child(["socat", *ends], self.folder / "socat.log")
        self.line.wait_for(lambda: self.tty.exists() and self._device_tty.exists(), "the serial line")

    def unplug(self):
        """Both ends hang up, as when the adapter is pulled."""
        self.line.kill()
        for end in (self.tty, self._device_tty):
            end.unlink(missing_ok=True)

    def stop(self):
        super().stop()
        if self.line:
            self.unplug()


class MqttLamp:
    """A lamp on the broker: hears TOPIC/set, answers on TOPIC."""

    def __init__(self, broker, topic):
        self.broker, self.topic = broker, topic
        self.child = None

    def start(self):
        self.child = Child([sys.executable, PEERS / "mqtt_lamp.py", "127.0.0.1", self.broker.port, self.topic],
                           self.broker.folder / "lamp.log")
        self.child.wait_for_line("ready")
        return self

    def stop(self):
        if self.child:
            self.child.stop()
