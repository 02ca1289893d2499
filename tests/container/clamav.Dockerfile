# A clamd of Debian's with one signature, in place of the image that a registry has: as that one it is of another user,
# listens on a socket and on TCP, and sees no file of the others.
FROM debian:bookworm-slim
RUN apt-get update && apt-get install -y --no-install-recommends clamav-daemon && \
	install -d -o clamav -g clamav /run/clamav
COPY clamd.conf /etc/clamav/clamd.conf
COPY test.ndb /var/lib/clamav/test.ndb
USER clamav
CMD ["clamd"]
