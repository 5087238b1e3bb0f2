"""The three apps behind Jupyter's own address and login; each starts when it is opened."""

c.ServerProxy.servers = {  # noqa: F821 (Jupyter defines c)
    f"mnuts-{app}": {
        "command": [
            *("mnuts", "dashboard", app, "--no-browser", "--port", "{port}"),
            *("--base-url", f"{{base_url}}mnuts-{app}/"),
        ],
        "absolute_url": True,
        "timeout": 120,
        "launcher_entry": {"title": f"MixedNUTS {app}"},
    }
    for app in ("explorer", "teaching", "compare")
}
