"""A conformance kit: does a gradient transformation keep the promises that Optax users rely on?"""

from adamjax.testing.kit import CHECKS as CHECKS, Report as Report, check as check
from adamjax.testing.subject import NotApplicable as NotApplicable, Subject as Subject
