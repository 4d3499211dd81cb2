# SPDX-License-Identifier: MIT
"""
Packets in the shape of pyshark's, from what tshark really writes.

pyshark is not packaged by Debian. What it does with tshark's XML (-T pdml) is little: attributes become attributes, fields
of one name are kept together, the nested ones beside those that contain them. These classes have the same names and do
the same for what ptp_monitor asks for.
"""
import subprocess
import xml.etree.ElementTree


class LayerField:
    def __init__(self, name=None, showname=None, value=None, show=None, hide=None, pos=None, size=None,
                 unmaskedvalue=None):
        self.name, self.showname, self.raw_value, self.show = name, showname, value, show
        self.hide, self.pos, self.size, self.unmaskedvalue = hide, pos, size, unmaskedvalue


class LayerFieldsContainer(str):
    """The text of the first field."""

    def __new__(cls, field):
        made = super().__new__(cls, field.show or field.raw_value or field.showname or "")
        made.all_fields = [field]
        return made

    def __getattr__(self, name):
        return getattr(self.all_fields[0], name)


class XmlLayer:
    def __init__(self, proto):
        self.layer_name = proto.get("name")
        self._all_fields = {}
        for element in proto.iter("field"):
            field = LayerField(**element.attrib)
            if field.name in self._all_fields:
                self._all_fields[field.name].all_fields.append(field)
            else:
                self._all_fields[field.name] = LayerFieldsContainer(field)

    def _short(self, name):
        return name.replace(self.layer_name + ".", "").replace(".", "_").replace("-", "_").lower()

    @property
    def field_names(self):
        return [self._short(name) for name in self._all_fields]

    def get_field(self, name):
        for full, field in self._all_fields.items():
            if name in (full, self._short(full)):
                return field
        return None

    def __getattr__(self, name):
        field = self.get_field(name)
        if field is None:
            raise AttributeError(name)
        return field


class Packet:
    def __init__(self, element):
        general, self.frame_info, *self.layers = (XmlLayer(proto) for proto in element.findall("proto"))
        fields = {name: field.all_fields[0] for name, field in general._all_fields.items()}
        self.number, self.length, self.captured_length = (fields[name].show for name in ("num", "len", "caplen"))
        self.sniff_timestamp = fields["timestamp"].raw_value

    def __getattr__(self, name):
        for layer in self.__dict__.get("layers", ()):
            if layer.layer_name == name:
                return layer
        raise AttributeError(name)


class RawLayer:
    layer_name = "FRAME_RAW"

    def __init__(self, data):
        self.value = data.hex()


class PacketWithRaw(Packet):
    """As with use_json=True, include_raw=True."""

    def __init__(self, element, data):
        super().__init__(element)
        self._data = data
        self.layers.insert(0, RawLayer(data))

    def get_raw_packet(self):
        return self._data


def elements(capture):
    """tshark's XML of each packet."""
    result = subprocess.run(["tshark", "-n", "-r", str(capture), "-T", "pdml"], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, check=True)
    return xml.etree.ElementTree.fromstring(result.stdout).findall("packet")


def file_capture(capture):
    """What pyshark.FileCapture(capture) iterates over."""
    return (Packet(element) for element in elements(capture))
