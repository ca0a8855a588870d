# The emulator in a container: docs/emulator.md. It needs none of Azure's SDKs, so only a few of the pins are installed.
FROM python:3.12-slim AS build
WORKDIR /source
COPY constraints.txt constraints-uv.txt ./
RUN awk '/^[a-z]/ {keep = /^(cffi|cryptography|msgspec|pycparser|pyyaml|typing-extensions)==/} keep' constraints.txt > emulator.txt \
    && awk '/^[a-z]/ {keep = /^uv-build==/} keep' constraints.txt > build.txt \
    && python -m venv /emulator \
    && /emulator/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r emulator.txt \
    && python -m pip install --no-cache-dir --require-hashes --no-deps -r build.txt
COPY pyproject.toml README.md LICENSE ./
COPY asrnet asrnet
RUN python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /emulator/bin/python -m pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 asrnet
COPY --from=build /emulator /emulator
USER 10001
WORKDIR /home/asrnet
EXPOSE 4590 4591
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/emulator/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:4590/_asrnet/health', timeout=2)"]
ENTRYPOINT ["/emulator/bin/asrnet", "emulator", "--host", "0.0.0.0", "--allow-remote"]
