// The complementary error function, within 1e-15 relative until it underflows.
//
// Method and coefficients: fdlibm 5.3, s_erf.c, "Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
// Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this
// software is freely granted, provided that this notice is preserved." (https://www.netlib.org/fdlibm/s_erf.c)

const ERX = 8.45062911510467529297e-1; // erf(1), rounded to single precision
const [PP, QQ] = [
  [1.28379167095512558561e-1, -3.25042107247001499370e-1, -2.84817495755985104766e-2, -5.77027029648944159157e-3, -2.37630166566501626084e-5],
  [1, 3.97917223959155352819e-1, 6.50222499887672944485e-2, 5.08130628187576562776e-3, 1.32494738004321644526e-4, -3.96022827877536812320e-6],
];
const [PA, QA] = [
  [-2.36211856075265944077e-3, 4.14856118683748331666e-1, -3.72207876035701323847e-1, 3.18346619901161753674e-1, -1.10894694282396677476e-1, 3.54783043256182359371e-2, -2.16637559486879084300e-3],
  [1, 1.06420880400844228286e-1, 5.40397917702171048937e-1, 7.18286544141962662868e-2, 1.26171219808761642112e-1, 1.36370839120290507362e-2, 1.19844998467991074170e-2],
];
const [RA, SA] = [
  [-9.86494403484714822705e-3, -6.93858572707181764372e-1, -1.05586262253232909814e1, -6.23753324503260060396e1, -1.62396669462573470355e2, -1.84605092906711035994e2, -8.12874355063065934246e1, -9.81432934416914548592],
  [1, 1.96512716674392571292e1, 1.37657754143519042600e2, 4.34565877475229228821e2, 6.45387271733267880336e2, 4.29008140027567833386e2, 1.08635005541779435134e2, 6.57024977031928170135, -6.04244152148580987438e-2],
];
const [RB, SB] = [
  [-9.86494292470009928597e-3, -7.99283237680523006574e-1, -1.77579549177547519889e1, -1.60636384855821916062e2, -6.37566443368389627722e2, -1.02509513161107724954e3, -4.83519191608651397019e2],
  [1, 3.03380607434824582924e1, 3.25792512996573918826e2, 1.53672958608443695994e3, 3.19985821950859553908e3, 2.55305040643316442583e3, 4.74528541206955367215e2, -2.24409524465858183362e1],
];

/**
 * `1 - erf(x)`.
 * @param {number} x
 * @returns {number} In [0, 2].
 */
export function erfc(x) {
  const size = Math.abs(x);
  if (size < 0.84375) return nearZero(x);
  if (size < 1.25) {
    const ratio = polynomial(PA, size - 1) / polynomial(QA, size - 1);
    return x >= 0 ? 1 - ERX - ratio : 1 + ERX + ratio;
  }
  if (x >= 28) return 0;
  if (x <= -6) return 2;
  return x > 0 ? beyond(size) : 2 - beyond(size);
}

function nearZero(x) {
  const square = x * x;
  const ratio = polynomial(PP, square) / polynomial(QQ, square);
  return x < 0.25 ? 1 - (x + x * ratio) : 0.5 - (x - 0.5 + x * ratio);
}

/** From 1.25 on: `exp(-x² - 0.5625 + R/S) / x`, x² split so that nothing is rounded away. */
function beyond(x) {
  const inverse = 1 / (x * x);
  const [above, below] = x < 2.857142857142857 ? [RA, SA] : [RB, SB]; // 1/0.35
  const ratio = polynomial(above, inverse) / polynomial(below, inverse);
  const head = Math.fround(x); // its square is exact
  return (Math.exp(-head * head - 0.5625) * Math.exp((head - x) * (head + x) + ratio)) / x;
}

/** `c₀ + c₁ x + c₂ x² + …` */
function polynomial(coefficients, x) {
  let value = 0;
  for (let i = coefficients.length - 1; i >= 0; i--) value = value * x + coefficients[i];
  return value;
}
