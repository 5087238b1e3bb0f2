// How far the paper's assumptions hold on a bundle, as `mnuts_core.views.assumptions`.

import { leastKept } from "../quantiles.js";
import { share, shareOf } from "../statistics.js";

/** Assumptions 4.1 and 4.2 and the independence of Theorem 4.4, counted on one mix. */
export function assumptions(engine, remix) {
  const { nClean, rows, pool } = engine;
  const { right, margin, mix_right } = remix.part;
  const least = leastKept(remix.threshold);
  const n = { right: 0, both: 0, wrong: 0, wrongStd: 0, kept: 0, keptStd: 0, notSecond: 0, fixed: 0, broken: 0 };
  for (let r = 0; r < nClean; r++) {
    const reaches = margin[r] >= least;
    const std = rows.stdRight[r];
    if (right[r]) {
      n.right++;
      if (std) n.both++;
      if (!mix_right[r]) n.broken++;
      continue;
    }
    n.wrong++;
    if (reaches) n.kept++;
    if (mix_right[r]) n.fixed++;
    if (!std) continue;
    n.wrongStd++;
    if (reaches) n.keptStd++;
    else if (!mix_right[r]) n.notSecond++;
  }
  const changed = rows.changed(remix.params);
  return {
    std_right_too: share(n.both, n.right),
    changed_clean: shareOf(changed.subarray(0, nClean)),
    changed_attacked: pool && shareOf(pool.atAnyPoint(changed)),
    kept: share(n.kept, n.wrong),
    kept_std_right: share(n.keptStd, n.wrongStd),
    promised: n.wrong ? n.wrongStd * (1 - n.kept / n.wrong) : 0,
    not_second: n.notSecond,
    fixed: n.fixed,
    broken: n.broken,
  };
}
