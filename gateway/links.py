"""From the configuration's listeners and routes to what ``gateway.inbound.listener`` and ``gateway.delivery`` take."""

from __future__ import annotations

import ssl
from pathlib import Path

from gateway.config import RELEASE, ListenerConfig, RouteConfig, Settings, TlsSettings
from gateway.inbound.intake import ListenerSettings
from gateway.outbound.routes import Route, Routes, Timeouts


def routes(settings: Settings) -> Routes:
    """Every named next hop.  Raises OSError or ValueError, naming the file or the route."""
    return Routes([_route(settings, name, one) for name, one in settings.routes.items()])


def _route(settings: Settings, name: str, one: RouteConfig) -> Route:
    _there(one.ca, one.certificate, one.key)
    made = Route(
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
    try:
        made.context()
    except ssl.SSLError:
        raise ValueError(f"route {name}: ca, certificate and key are not PEM files that fit together") from None
    return made


def _there(*paths: Path | None) -> None:
    """OSError naming the file: the ssl module's own names none."""
    for path in paths:
        if path is not None:
            path.open("rb").close()


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
        name=RELEASE,
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
    """Server side of mutual TLS: a client without a certificate of ``client_ca`` is not talked to.

    Raises OSError or ValueError, naming the file.
    """
    _there(tls.certificate, tls.key, tls.client_ca)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(tls.certificate, tls.key)
    except ssl.SSLError:
        raise ValueError(f"{tls.certificate} and {tls.key} are not a PEM certificate and its key") from None
    try:
        context.load_verify_locations(tls.client_ca)
    except ssl.SSLError:
        raise ValueError(f"{tls.client_ca} holds no PEM certificate") from None
    context.verify_mode = ssl.CERT_REQUIRED
    return context
