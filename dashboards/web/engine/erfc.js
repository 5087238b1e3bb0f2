// The complementary error function, within 1e-15 relative until it underflows.
//
// Method and coefficients: fdlibm 5.3, s_erf.c, "Copyright (C) 1993 by Sun Microsystems, Inc. All rights reserved.
// Developed at SunPro, a Sun Microsystems, Inc. business. Permission to use, copy, modify, and distribute this
// software is freely granted, provided that this notice is preserved." (https://www.netlib.org/fdlibm/s_erf.c)

const ERX = 8.45062911510467529297e-1; // erf(1), rounded to single precision
const ONE = new Float64Array(1);

/**
 * `1 - erf(x)`.
 * @param {number} x
 * @returns {number} In [0, 2].
 */
export function erfc(x) {
  ONE[0] = x;
  erfcOf(ONE, ONE, 1);
  return ONE[0];
}

/**
 * The same of many numbers. All in one loop, since a call for each would put its number on the heap.
 * @param {Float64Array} numbers
 * @param {Float64Array} out Where they go; may be `numbers`.
 * @param {number} n How many.
 */
export function erfcOf(numbers, out, n) {
  for (let i = 0; i < n; i++) {
    const x = numbers[i];
    const size = Math.abs(x);
    if (size < 0.84375) {
      const y = x * x;
      const above = 1.28379167095512558561e-1 + y * (-3.25042107247001499370e-1 + y * (-2.84817495755985104766e-2 + y * (-5.77027029648944159157e-3 - y * 2.37630166566501626084e-5)));
      const below = 1 + y * (3.97917223959155352819e-1 + y * (6.50222499887672944485e-2 + y * (5.08130628187576562776e-3 + y * (1.32494738004321644526e-4 - y * 3.96022827877536812320e-6))));
      const ratio = above / below;
      out[i] = x < 0.25 ? 1 - (x + x * ratio) : 0.5 - (x - 0.5 + x * ratio);
    } else if (size < 1.25) {
      const y = size - 1;
      const above = -2.36211856075265944077e-3 + y * (4.14856118683748331666e-1 + y * (-3.72207876035701323847e-1 + y * (3.18346619901161753674e-1 + y * (-1.10894694282396677476e-1 + y * (3.54783043256182359371e-2 - y * 2.16637559486879084300e-3)))));
      const below = 1 + y * (1.06420880400844228286e-1 + y * (5.40397917702171048937e-1 + y * (7.18286544141962662868e-2 + y * (1.26171219808761642112e-1 + y * (1.36370839120290507362e-2 + y * 1.19844998467991074170e-2)))));
      const ratio = above / below;
      out[i] = x >= 0 ? 1 - ERX - ratio : 1 + ERX + ratio;
    } else if (x >= 28) out[i] = 0;
    else if (x <= -6) out[i] = 2;
    else {
      // exp(-x² - 0.5625 + R/S) / x
      const y = 1 / (x * x);
      let ratio;
      if (size < 2.857142857142857) {
        const above = -9.86494403484714822705e-3 + y * (-6.93858572707181764372e-1 + y * (-1.05586262253232909814e1 + y * (-6.23753324503260060396e1 + y * (-1.62396669462573470355e2 + y * (-1.84605092906711035994e2 + y * (-8.12874355063065934246e1 - y * 9.81432934416914548592))))));
        const below = 1 + y * (1.96512716674392571292e1 + y * (1.37657754143519042600e2 + y * (4.34565877475229228821e2 + y * (6.45387271733267880336e2 + y * (4.29008140027567833386e2 + y * (1.08635005541779435134e2 + y * (6.57024977031928170135 - y * 6.04244152148580987438e-2)))))));
        ratio = above / below;
      } else {
        const above = -9.86494292470009928597e-3 + y * (-7.99283237680523006574e-1 + y * (-1.77579549177547519889e1 + y * (-1.60636384855821916062e2 + y * (-6.37566443368389627722e2 + y * (-1.02509513161107724954e3 - y * 4.83519191608651397019e2)))));
        const below = 1 + y * (3.03380607434824582924e1 + y * (3.25792512996573918826e2 + y * (1.53672958608443695994e3 + y * (3.19985821950859553908e3 + y * (2.55305040643316442583e3 + y * (4.74528541206955367215e2 - y * 2.24409524465858183362e1))))));
        ratio = above / below;
      }
      if (x < 0) out[i] = 2 - Math.exp(-x * x - 0.5625 + ratio) / size;
      else {
        const head = Math.fround(x); // x² split so that nothing is rounded away: the square of this is exact
        out[i] = (Math.exp(-head * head - 0.5625) * Math.exp((head - x) * (head + x) + ratio)) / x;
      }
    }
  }
}
