"""Python data as libconfig text: dict a group, list a list, the rest scalars."""


def _number(value):
    return f"{value}L" if isinstance(value, int) and not -2**31 <= value < 2**31 else repr(value)


def _text(value):
    escaped = str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def print_value(value, depth=0):
    inner, outer = "  " * (depth + 1), "  " * depth
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (int, float)):
        return _number(value)
    if isinstance(value, dict):
        return "{ " + "".join(f"{k} = {print_value(v, depth)}; " for k, v in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "(\n" + ",\n".join(inner + print_value(v, depth + 1) for v in value) + f"\n{outer})"
    return _text(value)


def print_settings(settings):
    return "".join(f"{name} = {print_value(value)};\n" for name, value in settings.items())
