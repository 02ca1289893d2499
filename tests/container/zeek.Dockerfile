# What compose.yml takes for Zeek, in place of the image that a registry has.
FROM debian:bookworm-slim
COPY zeek producer.sh /usr/local/bin/
