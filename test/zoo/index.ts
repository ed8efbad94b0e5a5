/** Every exhibit, in the order they are shown. */
import type { Exhibit } from "./scenario.ts";
import batchPartlyFailed from "./scenarios/batch-partly-failed.ts";
import behindTwoWrappers from "./scenarios/behind-two-wrappers.ts";
import betweenAttempts from "./scenarios/between-attempts.ts";
import cancelledByHand from "./scenarios/cancelled-by-hand.ts";
import cancelledByParent from "./scenarios/cancelled-by-parent.ts";
import caughtThenFailed from "./scenarios/caught-then-failed.ts";
import childCancelled from "./scenarios/child-cancelled.ts";
import childExpired from "./scenarios/child-expired.ts";
import clockSkew from "./scenarios/clock-skew.ts";
import crashWithoutException from "./scenarios/crash-without-exception.ts";
import cutTrace from "./scenarios/cut-trace.ts";
import delayed from "./scenarios/delayed.ts";
import dependency503 from "./scenarios/dependency-503.ts";
import differentPerAttempt from "./scenarios/different-per-attempt.ts";
import expiredBeforeStart from "./scenarios/expired-before-start.ts";
import fetchFailed from "./scenarios/fetch-failed.ts";
import flakyOneInFive from "./scenarios/flaky-one-in-five.ts";
import htmlInsteadOfJson from "./scenarios/html-instead-of-json.ts";
import hungFetch from "./scenarios/hung-fetch.ts";
import ignoredChildFailure from "./scenarios/ignored-child-failure.ts";
import lateError from "./scenarios/late-error.ts";
import longWorkWithLogs from "./scenarios/long-work-with-logs.ts";
import maxDuration from "./scenarios/max-duration.ts";
import nPlusOne from "./scenarios/n-plus-one.ts";
import noCardOnFile from "./scenarios/no-card-on-file.ts";
import noTrace from "./scenarios/no-trace.ts";
import nothingWrong from "./scenarios/nothing-wrong.ts";
import numbersLikeStatuses from "./scenarios/numbers-like-statuses.ts";
import oneOfForty from "./scenarios/one-of-forty.ts";
import oneSlowQuery from "./scenarios/one-slow-query.ts";
import onlyLooksStuck from "./scenarios/only-looks-stuck.ts";
import ordersAndSecrets from "./scenarios/orders-and-secrets.ts";
import outOfMemory from "./scenarios/out-of-memory.ts";
import outputTooLarge from "./scenarios/output-too-large.ts";
import ownFailureAfterChilds from "./scenarios/own-failure-after-childs.ts";
import payloadOfWrongShape from "./scenarios/payload-of-wrong-shape.ts";
import pendingVersion from "./scenarios/pending-version.ts";
import platformError from "./scenarios/platform-error.ts";
import queueStarved from "./scenarios/queue-starved.ts";
import recoveredOnRetry from "./scenarios/recovered-on-retry.ts";
import refusedRequest from "./scenarios/refused-request.ts";
import regressionSinceVersion from "./scenarios/regression-since-version.ts";
import retriedInside from "./scenarios/retried-inside.ts";
import segmentationFault from "./scenarios/segmentation-fault.ts";
import stillExecuting from "./scenarios/still-executing.ts";
import swallowedError from "./scenarios/swallowed-error.ts";
import swallowedLogOnly from "./scenarios/swallowed-log-only.ts";
import threeLevelsDown from "./scenarios/three-levels-down.ts";
import thrownInOwnCode from "./scenarios/thrown-in-own-code.ts";
import thrownText from "./scenarios/thrown-text.ts";
import uniqueConstraint from "./scenarios/unique-constraint.ts";
import waitingOnBusyChild from "./scenarios/waiting-on-busy-child.ts";
import waitingOnHungChild from "./scenarios/waiting-on-hung-child.ts";
import warningsOnly from "./scenarios/warnings-only.ts";

export const exhibits: readonly Exhibit[] = [
  thrownInOwnCode,
  noCardOnFile,
  thrownText,
  behindTwoWrappers,
  threeLevelsDown,
  ownFailureAfterChilds,
  caughtThenFailed,
  uniqueConstraint,
  refusedRequest,
  numbersLikeStatuses,
  dependency503,
  fetchFailed,
  htmlInsteadOfJson,
  recoveredOnRetry,
  retriedInside,
  differentPerAttempt,
  outOfMemory,
  maxDuration,
  hungFetch,
  nPlusOne,
  oneSlowQuery,
  queueStarved,
  delayed,
  expiredBeforeStart,
  childExpired,
  pendingVersion,
  cancelledByParent,
  cancelledByHand,
  childCancelled,
  batchPartlyFailed,
  oneOfForty,
  payloadOfWrongShape,
  outputTooLarge,
  crashWithoutException,
  segmentationFault,
  platformError,
  regressionSinceVersion,
  flakyOneInFive,
  swallowedError,
  swallowedLogOnly,
  ignoredChildFailure,
  lateError,
  clockSkew,
  cutTrace,
  noTrace,
  ordersAndSecrets,
  stillExecuting,
  longWorkWithLogs,
  onlyLooksStuck,
  waitingOnHungChild,
  waitingOnBusyChild,
  betweenAttempts,
  warningsOnly,
  nothingWrong,
];
