"""The demo's devices and the broker, looked at with the independent tools alone. No gateway: when this fails, what the
others verify at a device proves nothing."""
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from lib.site.devices import CoapDevice, ModbusDevice, ModbusLine, MqttLamp
from lib.site.mosquitto import Mosquitto
from lib.site.process import run
from lib.site.waiting import Failed, eventually

BUILD = Path(os.environ.get("JIDGATE_BUILD", "build/dev")).resolve()


class Devices(unittest.TestCase):
    def start(self, make, *words, **options):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = make(Path(folder.name), *words, **options)
        self.addCleanup(server.stop)
        return server.start()

    def look_at_registers(self, device):
        self.assertEqual((device.get("3", 0), device.get("3:float", 2), device.get("4", 10)), ("487", "1234.5", "550"))
        device.put("4", 100, -12)
        self.assertEqual((device.get("3", 0), device.get("1", 0)), ("-12", "0"))
        device.put("4", 10, -20)
        self.assertEqual(device.get("1", 0), "1", "the alarm follows the set point")
        device.put("0", 0, 1)
        self.assertEqual((device.get("0", 0), device.get("0", 1)), ("1", "0"))

    def test_modbus_tcp_keeps_what_is_written(self):
        self.look_at_registers(self.start(ModbusDevice, BUILD))

    def test_modbus_rtu_has_the_same_registers_on_the_line_and_for_the_tools(self):
        device = self.start(ModbusLine, BUILD)
        self.look_at_registers(device)
        for _ in range(2):  # the line outlives a master that goes away
            self.poll_line(device)

    def poll_line(self, device):
        status, out, err = run(["mbpoll", "-m", "rtu", "-b", "9600", "-P", "none", "-a", "1", "-t", "4", "-0", "-r", "10", "-1",
                                device.tty])
        self.assertEqual(status, 0, err)
        self.assertIn("[10]: \t65516 (-20)", out)

    def test_an_unplugged_line_is_gone_and_comes_back(self):
        device = self.start(ModbusLine, BUILD)
        device.unplug()
        self.assertFalse(device.tty.exists())
        device.stop()
        device.start()
        self.assertEqual(device.get("4", 10), "550")

    def test_coap_keeps_what_is_put_and_refuses_what_makes_no_sense(self):
        device = self.start(CoapDevice, BUILD)
        self.assertEqual((device.get("/sensors/temp"), device.get("/lamp")), ("21.5", "off"))
        device.put("/lamp", "on")
        device.put("/sensors/temp", "-3.25")
        self.assertEqual((device.get("/sensors/temp"), device.get("/lamp")), ("-3.25", "on"))
        device.put("/lamp", "perhaps")
        self.assertEqual(device.get("/lamp"), "on")

    def test_what_shall_move_moves(self):
        modbus, coap = self.start(ModbusDevice, BUILD), self.start(CoapDevice, BUILD)
        for device, look in ((modbus, lambda: modbus.get("3", 0)), (coap, lambda: coap.get("/sensors/temp"))):
            device.move()
            before = look()
            eventually(lambda: look() != before, f"{device.name} to move")

    def test_the_lamp_hears_and_answers(self):
        broker = self.start(Mosquitto)
        ear = broker.listen("hall/#")
        self.addCleanup(ear.stop)
        lamp = MqttLamp(broker, "hall/lamp").start()
        self.addCleanup(lamp.stop)
        ear.wait_for_line('> hall/lamp {"state": "OFF"}')
        broker.publish("hall/lamp/set", "nonsense")
        broker.publish("hall/lamp/set", '{"state": "ON"}')
        ear.wait_for_line('> hall/lamp {"state": "ON"}')

    def test_a_broker_with_passwords_lets_in_who_knows_one(self):
        broker = self.start(Mosquitto, users={"gate": "secret"})
        broker.publish("a", "1")
        broker.users = {"gate": "wrong"}
        with self.assertRaises(Failed):
            broker.publish("a", "1")

    def test_a_server_comes_back_on_the_same_port(self):
        broker = self.start(Mosquitto)
        port = broker.port
        broker.kill()
        broker.start()
        self.assertEqual(broker.port, port)
        broker.publish("a", "1")


if __name__ == "__main__":
    unittest.main()
