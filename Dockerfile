# Seamline with its server and its part of a Ray cluster, without PyTorch.
#   docker build -t seamline .
#   docker run --rm -v "$PWD:/media:ro" seamline scan /media/talk.mp4
FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /opt/seamline
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY src src
RUN /opt/seamline/bin/python -m pip install --no-cache-dir -c constraints.txt '.[serve,scale]'

FROM python:3.11-slim
RUN groupadd --gid 10001 seamline \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data seamline \
    && mkdir /data \
    && chown 10001:10001 /data
COPY --from=build /opt/seamline /opt/seamline
# Nothing is written outside /data and /tmp: the root file system may be read-only.
ENV PATH=/opt/seamline/bin:$PATH \
    HOME=/tmp \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    RAY_USAGE_STATS_ENABLED=0
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# For the server; compose.yaml gives Ray's nodes one of their own.
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["seamline"]
CMD ["serve", "--host", "0.0.0.0", "--port", "8000", "--data", "/data"]
