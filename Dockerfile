# Two images. The emulator (docs/emulator.md) is the one without --target; it needs none of Azure's SDKs, so only a few of
# the pins are installed. "docker build --target asrnet" makes asrnet itself, for jobs of schedulers (docs/schedule).
FROM python:3.12-slim AS build
WORKDIR /source
COPY constraints.txt ./
RUN awk '/^[a-z]/ {keep = /^(cffi|cryptography|msgspec|pycparser|pyyaml|typing-extensions)==/} keep' constraints.txt > emulator.txt \
    && awk '/^[a-z]/ {keep = /^uv-build==/} keep' constraints.txt > build.txt \
    && python -m venv /emulator \
    && /emulator/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r emulator.txt \
    && python -m pip install --no-cache-dir --require-hashes --no-deps -r build.txt
COPY pyproject.toml README.md LICENSE ./
COPY asrnet asrnet
RUN python -m pip wheel --no-cache-dir --no-deps --no-build-isolation --wheel-dir /wheels . \
    && /emulator/bin/python -m pip install --no-cache-dir --no-deps /wheels/*.whl

FROM build AS build-job
RUN awk '/^[a-z]/ {keep = /^(azure-core|azure-identity|azure-mgmt-core|azure-mgmt-network|azure-mgmt-recoveryservicessiterecovery|azure-mgmt-resourcegraph|certifi|cffi|charset-normalizer|cryptography|idna|isodate|markdown-it-py|mdurl|msal|msal-extensions|msgspec|msrest|oauthlib|pycparser|pygments|pyjwt|python-dotenv|pyyaml|requests|requests-oauthlib|rich|tenacity|typing-extensions|urllib3)==/} keep' constraints.txt > job.txt \
    && python -m venv /asrnet \
    && /asrnet/bin/python -m pip install --no-cache-dir --require-hashes --no-deps -r job.txt \
    && /asrnet/bin/python -m pip install --no-cache-dir --no-deps /wheels/*.whl

FROM python:3.12-slim AS asrnet
RUN useradd --create-home --uid 10001 asrnet
COPY --from=build-job /asrnet /asrnet
ENV PATH=/asrnet/bin:$PATH
USER 10001
WORKDIR /home/asrnet
ENTRYPOINT ["/asrnet/bin/asrnet"]

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 asrnet
COPY --from=build /emulator /emulator
USER 10001
WORKDIR /home/asrnet
EXPOSE 4590 4591
HEALTHCHECK --interval=10s --timeout=3s --start-period=5s --retries=3 \
    CMD ["/emulator/bin/python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:4590/_asrnet/health', timeout=2)"]
ENTRYPOINT ["/emulator/bin/asrnet", "emulator", "--host", "0.0.0.0", "--allow-remote"]
