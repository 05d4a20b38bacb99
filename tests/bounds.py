"""How long a direction can get, by variant, where ε is 0."""

import numpy as np


def weights(label, t, b1=0.9, b2=0.999):
    """What u at step t makes of the gradients so far, as numerator and as radicand."""
    name, _, style = label.partition("-")
    age = np.arange(t)[::-1]
    present = 1.0 * (age == 0)
    if name == "adagrad":
        return present, np.ones(t)
    if name == "rmsprop":
        return present, 0.01 * 0.99**age
    if name == "ano":
        return present, 0.01 * 0.99**age / (1 - 0.99**t)
    numerator, radicand = (1 - b1) * b1**age, (1 - b2) * b2**age
    if label in ("adam-mlx", "amsgrad-paper"):
        return numerator, radicand
    if name == "simplified_ademamix":
        return 0.99**age, 0.05 * 0.95**age / (1 - 0.95**t)
    if name == "adan":
        return of_adan(t, share=0.92 if style == "author" else 0.08)
    radicand /= 1 - b2**t
    if name == "ademamix":
        return numerator / (1 - b1**t) + 2 * 1e-4 * 0.9999**age, radicand
    if not name.startswith("nadam"):
        return numerator / (1 - b1**t), radicand
    mu, coming, product = momenta(style, t, b1)
    looked_ahead = 1 - product * (1 if style == "mlcommons" else coming)
    return coming * numerator / looked_ahead + (1 - mu) * present / (1 - product), radicand


def bounds(label, steps):
    """The longest u at each step.

    By Cauchy and Schwarz (Σ aᵢ gᵢ)² <= Σ aᵢ²/wᵢ · Σ wᵢ gᵢ², for any weights. The bound of the Adam
    paper, (1-b₁) / √(1-b₂), is that for a single gradient.
    """
    pairs = [weights(label, t) for t in range(1, steps + 1)]
    if label.startswith("adamax"):  # |m| against a decayed maximum
        return np.asarray([np.sum(a / 0.999 ** np.arange(len(a))[::-1]) for a, _ in pairs])
    if label.startswith("yogi"):  # v holds the largest of wᵢ gᵢ² at least
        return np.asarray([np.sum(a / np.sqrt(w)) for a, w in pairs])
    if label == "soap":  # no average of h is longer than the root of that of h²; 2 by 3, turned
        return np.full(steps, np.sqrt(6))
    if label.startswith("muon"):  # a singular value ends below 1.21; of a 2 by 3 matrix, √(3/2)
        return np.full(steps, 1.5)
    if label.startswith("c_"):  # as long as the rest of a leaf of six together
        return 6 * bounds(label.removeprefix("c_"), steps)
    if label.startswith(("lion", "tiger")):
        return np.ones(steps)
    if label.startswith("laprop"):  # an average of quotients, each bounded by itself
        quotients = np.sqrt([1 / w[-1] for _, w in pairs])
        return np.asarray([np.sum(a * quotients[: len(a)]) for a, _ in pairs])
    if label.startswith("novograd"):  # a sum of quotients
        quotients = np.full(steps, 1.0 if label.endswith("openseq2seq") else 0.02**-0.5)
        quotients[0] = 1.0
        return np.asarray(
            [np.sum(0.95 ** np.arange(t)[::-1] * quotients[:t]) for t in range(1, steps + 1)]
        )
    if label.startswith("adopt"):  # an average of clipped quotients
        clips = np.arange(steps) ** 0.25
        return np.asarray(
            [np.sum(0.1 * 0.9 ** np.arange(t)[::-1] * clips[:t]) for t in range(1, steps + 1)]
        )
    longest = np.asarray([np.sqrt(np.sum(a**2 / w)) for a, w in pairs])
    return 1.27 * np.arctan(longest) if label.startswith("adam_atan2") else longest


def of_adan(t, share, b1=0.98, b2=0.92, b3=0.99):
    """The same of x = g + share · d, of which v is the average."""
    age = np.arange(t)[::-1]
    d = np.eye(t) - np.eye(t, k=-1)
    d[0] = 0.0
    averages = [(1 - b) * b**age / (1 - b**t) for b in (b1, b2, b3)]
    of_gradients = averages[0] + share * averages[1] @ d
    return of_gradients @ np.linalg.inv(np.eye(t) + share * d), averages[2]


def momenta(style, t, b1):
    """NAdam's μ at this step and the next, and the product of all up to this one."""
    psi = {"torch": 0.004, "keras": 1.0}.get(style)
    mu = [b1 if psi is None else b1 * (1 - 0.5 * 0.96 ** (k * psi)) for k in range(1, t + 2)]
    return mu[-2], mu[-1], np.prod(mu[:-1])
