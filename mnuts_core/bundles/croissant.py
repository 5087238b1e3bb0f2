"""A bundle described for those who look for data sets: Croissant 1.0, as the big hubs of data read it.

Croissant has no name for what a safetensors file holds, so a description lists the tensors, and the file
stands there whole, with its SHA-256.

Source: M. Akhtar et al., Croissant: A Metadata Format for ML-Ready Datasets, 2024.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from mnuts_core.bundles.bundle import LogitBundle
from mnuts_core.text import counted

CONFORMS_TO = "http://mlcommons.org/croissant/1.0"
CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""The context that the specification gives, word for word: readers compare it."""


def croissant(path: Path) -> dict[str, Any]:
    """The metadata of one bundle, as JSON-LD.

    Who publishes the file adds `url`, `license` and `creator`: a bundle does not know them.

    Args:
        path: The bundle's file; the metadata name it as if it lay beside them.

    Returns:
        Plain JSON: name, description, provenance, and the file with its SHA-256.

    Raises:
        BundleError: If it is no bundle.
    """
    bundle = LogitBundle.load(path)
    manifest = bundle.manifest
    known: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": CONFORMS_TO,
        "name": bundle.name,
        "description": description(bundle),
        "datePublished": manifest.created,
        "version": "1.0.0",
        "keywords": ["adversarial robustness", "logits", "MixedNUTS"],
        "isBasedOn": manifest.data.source if manifest.data else None,
        "distribution": [
            {
                "@type": "cr:FileObject",
                "@id": path.name,
                "name": path.name,
                "contentUrl": path.name,
                "contentSize": f"{path.stat().st_size} B",
                "encodingFormat": "application/octet-stream",
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
        ],
    }
    return {key: value for key, value in known.items() if value is not None}


def description(bundle: LogitBundle) -> str:
    """What a bundle holds and where it comes from, in one paragraph."""
    manifest = bundle.manifest
    parts = [
        "Raw logits of a standard and of a robust image classifier for "
        f"{counted(bundle.n_clean, 'image')} in {bundle.num_classes} classes, with the true labels"
    ]
    if bundle.n_adv:
        points = f"{counted(bundle.n_points, 'attacked point')} of {bundle.n_adv:,} of these images"
        threat = f" ({manifest.threat})" if manifest.threat else ""
        parts.append(f"and both models' logits at {points}{threat}")
    held = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in bundle.tensors().items())
    models = [
        f"{role} model: {card.spec}."
        for role, card in (("Standard", manifest.std_model), ("Robust", manifest.rob_model))
        if card
    ]
    certified = [f"Certificate {manifest.certificate}."] if manifest.certificate else []
    made = [f"Made with: {manifest.command}."] if manifest.command else []
    return " ".join([", ".join(parts) + ".", f"Tensors: {held}.", *models, *certified, *made])
