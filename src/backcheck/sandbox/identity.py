"""GetCallerIdentity: moto's answer, but for the account's root, which moto does not know."""

from __future__ import annotations

from backcheck.sandbox.operations import Call, Reply, operation


@operation("sts", "GetCallerIdentity")
def get_caller_identity(call: Call) -> Reply:
    """Who signed the request. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html"""
    if call.caller.endswith(":root"):
        return {"UserId": call.region.account, "Account": call.region.account, "Arn": call.caller}
    reply: Reply = call.response.get_caller_identity().result
    return reply
