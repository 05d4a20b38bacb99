"""The reader of Muon."""

from tests.reference import reads

STYLES = {("ema",): "author", ("ema_debiased",): "optax", ("sum",): "keras"}
SCALES = {
    "rows_over_columns": {"scale": "aspect", "out_axis": -2},
    "columns_over_rows": {"scale": "aspect", "out_axis": -1},
    "match_rms": {"scale": "rms"},
}


@reads("muon", "muon")
def muon(given):
    style = given.choose(STYLES, "style")
    return {"momentum": given.pop("momentum"), "style": style} | SCALES[given.pop("scale")]
