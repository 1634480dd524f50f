from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from models.data.tfrecord import crc32c, example, masked, write_records
from tests.tfrecords import bitwise_crc32c, masked_crc32c, read_records


def test_the_checksums_of_rfc_3720() -> None:
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(bytes(32)) == 0x8A9136AA
    assert crc32c(b"\xff" * 32) == 0x62A8AB43
    assert crc32c(bytes(range(32))) == 0x46DD794E


@pytest.mark.parametrize("length", [0, 1, 2047, 2048, 2049, 4096, 5000, 20011])
def test_lanes_give_what_single_bits_give(length: int) -> None:
    data = np.random.default_rng(length).integers(0, 256, length, np.uint8).tobytes()
    assert crc32c(data) == bitwise_crc32c(data)


def test_a_mask_as_tensorflow_documents_it() -> None:
    assert masked(b"123456789").to_bytes(4, "little") == masked_crc32c(b"123456789")


def test_records_come_back(tmp_path: Path) -> None:
    path = tmp_path / "a.record"
    records = [b"", b"one", bytes(3_000)]
    write_records(path, records)
    assert list(read_records(path)) == records


def test_an_example_is_the_protobuf_that_its_proto_file_says() -> None:
    file = descriptor_pb2.FileDescriptorProto(name="example.proto", package="t", syntax="proto3")
    label, kind = descriptor_pb2.FieldDescriptorProto, descriptor_pb2.FieldDescriptorProto

    def message(name: str, fields: dict[int, Any]) -> None:
        made = file.message_type.add(name=name)
        for number, (field, type_, repeated, of) in fields.items():
            made.field.add(
                name=field, number=number, type=type_, type_name=of,
                label=label.LABEL_REPEATED if repeated else label.LABEL_OPTIONAL,
            )  # fmt: skip

    message("BytesList", {1: ("value", kind.TYPE_BYTES, True, None)})
    message("FloatList", {1: ("value", kind.TYPE_FLOAT, True, None)})
    message("Int64List", {1: ("value", kind.TYPE_INT64, True, None)})
    lists = {1: "Bytes", 2: "Float", 3: "Int64"}
    message("Feature", {n: (f"{v.lower()}_list", kind.TYPE_MESSAGE, False, f".t.{v}List") for n, v in lists.items()})
    message("Entry", {1: ("key", kind.TYPE_STRING, False, None), 2: ("value", kind.TYPE_MESSAGE, False, ".t.Feature")})
    message("Features", {1: ("feature", kind.TYPE_MESSAGE, True, ".t.Entry")})
    message("Example", {1: ("features", kind.TYPE_MESSAGE, False, ".t.Features")})
    held = descriptor_pool.DescriptorPool()
    held.Add(file)
    parsed = message_factory.GetMessageClass(held.FindMessageTypeByName("t.Example"))()
    parsed.ParseFromString(example({"n": [1, 300, -2], "x": [0.25, 1.0], "name": [b"a.jpg"], "none": []}))
    entries = {e.key: e.value for e in parsed.features.feature}
    assert list(entries["n"].int64_list.value) == [1, 300, -2]
    assert list(entries["x"].float_list.value) == [0.25, 1.0]
    assert list(entries["name"].bytes_list.value) == [b"a.jpg"]
    assert not entries["none"].ListFields()
