"""`mnuts dashboard`: an app in the browser."""

from __future__ import annotations

from typing import Annotated

import typer

from mnuts_core.errors import MnutsError


def dashboard(
    name: Annotated[str, typer.Argument(help="Which app.")] = "explorer",
    bundle: Annotated[
        list[str] | None,
        typer.Option(
            "--bundle",
            metavar="BUNDLE",
            help="Name or path of the bundle to open first; several, for compare, by several --bundle.",
        ),
    ] = None,
    images: Annotated[
        str | None,
        typer.Option(
            "--images",
            metavar="SPEC",
            help="Images behind the bundle, such as cifar10-jpeg:FOLDER, for Verify where it holds none.",
        ),
    ] = None,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option("--port", help="Port to listen on; the first free one from 8866 if not given."),
    ] = None,
    token: Annotated[
        str | None,
        typer.Option(
            "--token",
            help="What a visitor must bring as ?token=...; '' asks for none. If not given: MNUTS_TOKEN's; "
            "else none on this machine's own addresses, a fresh one on others. Other users of this machine "
            "can read it in the list of processes: better --token-file or MNUTS_TOKEN.",
        ),
    ] = None,
    token_file: Annotated[
        str | None,
        typer.Option("--token-file", metavar="FILE", help="A file with the token and nothing else."),
    ] = None,
    base_url: Annotated[
        str,
        typer.Option(
            "--base-url",
            metavar="PATH",
            help="Path that all addresses begin with, for a proxy that hands it on, such as JupyterHub's.",
        ),
    ] = "/",
    jobs: Annotated[
        int,
        typer.Option("--jobs", min=1, max=1000, help="Verifications at once; the others wait in a line."),
    ] = 1,
    max_visitors: Annotated[
        int | None,
        typer.Option(
            "--max-visitors",
            min=1,
            max=1000,
            help="Visitors at once, each with a process of about 500 MB; as many as fit if not given.",
        ),
    ] = None,
    count_class: Annotated[
        bool,
        typer.Option(
            "--class",
            help="Count what a class predicts in the lesson (teaching): without names, in memory, for who "
            "has the teacher's link, which is printed.",
        ),
    ] = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Do not open the page.")] = False,
) -> None:
    """Serve an app in the browser until Ctrl-C; nothing leaves this machine."""
    from mnuts_core.bundles.bundle import LogitBundle
    from mnuts_core.bundles.library import find_bundle

    if count_class and name != "teaching":
        raise MnutsError(f"--class belongs to the lesson: mnuts dashboard teaching --class, got {name!r}")
    paths = [find_bundle(name) for name in bundle or []]
    for path in paths:
        LogitBundle.load(path)  # a broken one is refused here, not on a blank page
    from mnuts_dashboards.server.serve import ServeError, serve

    try:
        code = serve(
            name,
            bundles=paths,
            images=images,
            host=host,
            port=port,
            token=token,
            token_file=token_file,
            jobs=jobs,
            max_visitors=max_visitors,
            count_class=count_class,
            base_url=base_url,
            open_browser=not no_browser,
        )
    except ServeError as error:
        raise MnutsError(str(error)) from error
    raise typer.Exit(code)
