"""The explorer's style sheet. Colours come from the page's theme, so dark and light both work."""

from __future__ import annotations

STYLE = """
.mnuts-explorer { max-width: 1920px; margin: 0 auto; padding: 8px 12px 24px; overflow: visible;
  font-family: var(--jp-ui-font-family); color: var(--jp-ui-font-color1); }
.mnuts-body { align-items: flex-start; gap: 16px; overflow: visible; }
.mnuts-controls { flex: 0 0 316px; position: sticky; top: 8px; max-height: calc(100vh - 16px);
  overflow-y: auto; overflow-x: hidden; padding: 10px 12px; border-radius: 8px;
  border: 1px solid var(--jp-border-color2); background: var(--jp-layout-color1); }
.mnuts-controls > * { flex: none; }
.mnuts-controls .widget-label, .mnuts-controls .widget-readout { color: var(--jp-ui-font-color1); }
.mnuts-controls .mnuts-slider input[type=text] { padding-left: 5px; padding-right: 4px; }
.mnuts-main { flex: 1 1 auto; min-width: 0; gap: 8px; overflow: visible; }
.mnuts-main > * { overflow: visible; max-width: 100%; }
.mnuts-main .widget-html-content { white-space: normal; min-width: 0; width: 100%; }
.mnuts-group { margin: 8px 0 0; padding-top: 6px; font-size: 12px; font-weight: 600; letter-spacing: .02em;
  color: var(--jp-ui-font-color2); border-top: 1px solid var(--jp-border-color2); }
.mnuts-provenance { font-size: 12px; color: var(--jp-ui-font-color2); line-height: 1.5; }
.mnuts-provenance b { font-size: 16px; color: var(--jp-ui-font-color1); margin-right: 10px; }
.mnuts-provenance span + span::before { content: " · "; }
.mnuts-provenance details { display: inline-block; margin-left: 10px; vertical-align: top; max-width: 100%; }
.mnuts-provenance details[open] { display: block; margin: 4px 0 0; }
.mnuts-provenance summary { cursor: pointer; text-decoration: underline dotted; }
.mnuts-headline { width: 100%; min-width: 680px; table-layout: fixed; border-collapse: collapse;
  font-size: 14px; font-variant-numeric: tabular-nums; line-height: 1.3; }
.mnuts-headline th, .mnuts-headline td { text-align: right; padding: 3px 6px; vertical-align: top;
  border-bottom: 1px solid var(--jp-border-color2); white-space: nowrap; }
.mnuts-headline thead th { font-size: 12px; font-weight: 600; color: var(--jp-ui-font-color2); cursor: help; }
.mnuts-headline th[scope=row] { text-align: left; font-weight: 500; }
.mnuts-headline tr[data-row=mix] th, .mnuts-headline tr[data-row=mix] td { background: rgba(0,158,115,.10); }
.mnuts-headline small { display: block; font-size: 11px; color: var(--jp-ui-font-color2); }
.mnuts-headline th[scope=row] small { padding-left: 18px; }
.mnuts-dot { display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 8px; }
.mnuts-words { margin: 6px 0 0; font-size: 12px; line-height: 1.45; color: var(--jp-ui-font-color2); }
.mnuts-gains { margin: 6px 0 0; font-size: 13px; line-height: 1.45; color: var(--jp-ui-font-color1); }
.mnuts-stale .mnuts-found { opacity: .5; }
.theme-dark .mnuts-explorer select { color-scheme: dark; background-image: none; appearance: auto; }
.mnuts-found { font-size: 12px; line-height: 1.45; color: var(--jp-ui-font-color1); white-space: normal; }
.mnuts-warning { color: var(--jp-ui-font-color2); padding-left: 8px; border-left: 3px solid #E69F00;
  margin-top: 4px; }
.mnuts-main > .mnuts-alert { position: sticky; top: 8px; z-index: 5; }
.mnuts-banner { padding: 8px 12px; border-radius: 6px; border-left: 4px solid #D55E00; font-size: 13px;
  background: color-mix(in srgb, #D55E00 14%, var(--jp-layout-color1)); color: var(--jp-ui-font-color1);
  white-space: normal; line-height: 1.45; }
.mnuts-below { gap: 12px; padding: 0 2px; overflow: visible; }
.mnuts-said { min-height: 18px; }
.mnuts-buttons { flex-wrap: wrap; gap: 4px; }
.mnuts-buttons .widget-button { flex: 1 1 auto; padding: 0 8px; margin: 2px 0; }
.mnuts-found code { display: block; white-space: normal; overflow-wrap: anywhere; user-select: all; }
.mnuts-card { padding: 10px 12px; border-radius: 8px; background: var(--jp-layout-color1); margin-top: 2px;
  border: 1px solid color-mix(in srgb, var(--jp-border-color2) 60%, transparent); }
.mnuts-card h3 { margin: 0; font-size: 14px; font-weight: 600; line-height: 1.35;
  color: var(--jp-ui-font-color1); }
.mnuts-card-head { flex-wrap: wrap; align-items: center; gap: 4px 12px; overflow: visible; }
.mnuts-card-head .widget-html { flex: 1 1 260px; }
.mnuts-examples { gap: 16px; align-items: flex-start; overflow: visible; }
.mnuts-grow { flex: 1 1 auto; min-width: 0; }
.mnuts-main .mnuts-story-box { flex: 0 0 clamp(220px, 22%, 300px); min-height: 200px; }
.mnuts-story img { width: 112px; height: 112px; object-fit: contain; image-rendering: pixelated; float: right;
  margin: 0 0 6px 10px; border: 1px solid var(--jp-border-color2); }
.mnuts-story p { margin: 4px 0; font-size: 12px; line-height: 1.45; }
.mnuts-plain { width: 100%; border-collapse: collapse; font-size: 13px; line-height: 1.4;
  font-variant-numeric: tabular-nums; color: var(--jp-ui-font-color1); }
.mnuts-plain th, .mnuts-plain td { text-align: left; vertical-align: top; padding: 3px 8px 3px 0;
  border-bottom: 1px solid var(--jp-border-color2); font-weight: 400; }
.mnuts-plain thead th { font-size: 12px; font-weight: 600; color: var(--jp-ui-font-color2); }
.mnuts-plain .no { color: var(--jp-ui-font-color2); }
.mnuts-examples td.number .dot { float: left; margin-top: 5px; }
.mnuts-explorer { container-type: inline-size; }
.mnuts-main .widget-html { overflow-x: auto; height: auto; }
@container (max-width: 1000px) {
  .mnuts-body { flex-direction: column; align-items: stretch; }
  .mnuts-controls { position: static; max-height: none; width: auto; flex: none; display: block;
    columns: 270px; column-gap: 24px; }
  .mnuts-controls > * { break-inside: avoid; }
  .mnuts-controls > .widget-button { width: 100% !important; }
  .mnuts-controls > .mnuts-wide { break-after: avoid; }
  .mnuts-headline th, .mnuts-headline td { padding: 3px 5px; }
  .mnuts-examples { flex-direction: column; align-items: stretch; }
  .mnuts-main .mnuts-story-box { flex: none; width: auto; }
}
"""
