"""From the configuration's listeners and routes to what ``gateway.listener`` and ``gateway.delivery`` take."""

from __future__ import annotations

import ssl

from gateway.config import ListenerConfig, Settings, TlsSettings
from gateway.intake import ListenerSettings
from gateway.routes import Route, Routes, Timeouts


def routes(settings: Settings) -> Routes:
    """Every named next hop."""
    return Routes(
        [
            Route(
                name=name,
                host=one.host,
                port=one.port,
                protocol=one.protocol,
                tls=one.tls,
                ca=one.ca,
                certificate=one.certificate,
                key=one.key,
                server_name=one.server_name,
                helo=settings.hostname,
                timeouts=Timeouts(command=one.timeout, block=one.timeout, final=min(180.0, settings.limits.deadline_seconds)),
                connections=one.connections,
            )
            for name, one in settings.routes.items()
        ]
    )


def listener_settings(settings: Settings, one: ListenerConfig, size: int) -> ListenerSettings:
    """One listener for mail that announces and takes ``size`` bytes."""
    return ListenerSettings(
        name=one.name,
        kind=one.kind,
        protocol=one.protocol,
        host=one.host,
        port=one.port,
        tls=_mutual(one.tls) if one.tls else None,
        hostname=settings.hostname,
        max_size=size,
        max_recipients=settings.limits.recipients,
        max_connections=settings.limits.connections,
        command_timeout=settings.limits.command_seconds,
        xforward=one.xforward,
        bare_newlines=one.bare_newlines,
        trusted=tuple(str(network) for network in one.trusted),
    )


def release_settings(settings: Settings) -> ListenerSettings:
    """The private socket on which the quarantine service hands releases in; its file's permissions say who may."""
    return ListenerSettings(
        name="release",
        kind="release",
        protocol="LMTP",
        host=None,
        socket=str(settings.release_socket),
        hostname=settings.hostname,
        max_size=settings.limits.message_bytes,
        max_recipients=settings.limits.recipients,
        xforward=False,
    )


def _mutual(tls: TlsSettings) -> ssl.SSLContext:
    """Server side of mutual TLS: a client without a certificate of ``client_ca`` is not talked to.  Raises OSError."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(tls.certificate, tls.key)
    context.load_verify_locations(tls.client_ca)
    context.verify_mode = ssl.CERT_REQUIRED
    return context
