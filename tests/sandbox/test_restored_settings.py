"""What a table restored by PITR keeps of the source's settings, and what it has to be given again."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from .conftest import START, Bench
from .test_point_in_time import GLOBAL, UNITS, finished, restore, rich


class TestSettings:
    def test_what_is_taken_over(self, bench: Bench) -> None:
        rich(bench)
        restore(bench, "restored")
        source, table = finished(bench, "orders"), finished(bench, "restored")
        for member in ("KeySchema", "AttributeDefinitions", "BillingModeSummary", "SSEDescription"):
            assert table[member] == source[member]
        assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["by-n"]

    def test_what_is_dropped(self, bench: Bench) -> None:
        rich(bench)
        restore(bench, "restored")
        table = finished(bench, "restored")
        assert "StreamSpecification" not in table
        assert "LatestStreamArn" not in table
        assert not table["DeletionProtectionEnabled"]
        db = bench.dynamodb
        assert db.list_tags_of_resource(ResourceArn=table["TableArn"])["Tags"] == []
        ttl = db.describe_time_to_live(TableName="restored")["TimeToLiveDescription"]
        assert ttl == {"TimeToLiveStatus": "DISABLED"}
        recovery = db.describe_continuous_backups(TableName="restored")["ContinuousBackupsDescription"]
        assert recovery["PointInTimeRecoveryDescription"] == {"PointInTimeRecoveryStatus": "DISABLED"}

    def test_they_are_those_of_now_not_those_of_then(self, bench: Bench) -> None:
        rich(bench)
        bench.dynamodb.update_table(TableName="orders", GlobalSecondaryIndexUpdates=[{"Delete": {"IndexName": "by-n"}}])
        bench.dynamodb.update_table(TableName="orders", BillingMode="PROVISIONED", ProvisionedThroughput=UNITS)
        restore(bench, "restored", START)
        table = finished(bench, "restored")
        assert table["GlobalSecondaryIndexes"] == []
        assert table["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
        assert table["ProvisionedThroughput"]["ReadCapacityUnits"] == 3

    def test_overrides(self, bench: Bench) -> None:
        rich(bench)
        key = bench.sandbox.client("kms").create_key()["KeyMetadata"]["Arn"]
        restore(
            bench,
            "restored",
            BillingModeOverride="PROVISIONED",
            ProvisionedThroughputOverride=UNITS,
            GlobalSecondaryIndexOverride=[],
            SSESpecificationOverride={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
        )
        table = finished(bench, "restored")
        assert table["BillingModeSummary"]["BillingMode"] == "PROVISIONED"
        assert table["ProvisionedThroughput"]["WriteCapacityUnits"] == 2
        assert table["GlobalSecondaryIndexes"] == []
        assert table["AttributeDefinitions"] == [{"AttributeName": "id", "AttributeType": "S"}]
        assert table["SSEDescription"]["KMSMasterKeyArn"] == key

    def test_an_index_with_its_own_throughput(self, bench: Bench) -> None:
        rich(bench)
        restore(
            bench,
            "restored",
            BillingModeOverride="PROVISIONED",
            ProvisionedThroughputOverride=UNITS,
            GlobalSecondaryIndexOverride=[{**GLOBAL, "ProvisionedThroughput": UNITS}],
        )
        [index] = finished(bench, "restored")["GlobalSecondaryIndexes"]
        assert index["ProvisionedThroughput"]["ReadCapacityUnits"] == 3

    def test_encryption_can_be_turned_off(self, bench: Bench) -> None:
        rich(bench)
        restore(bench, "restored", SSESpecificationOverride={"Enabled": False})
        assert "SSEDescription" not in finished(bench, "restored")

    @pytest.mark.parametrize(
        ("override", "says"),
        [
            ({"BillingModeOverride": "PROVISIONED"}, "needs the throughput"),
            ({"ProvisionedThroughputOverride": UNITS}, "cannot be given for billing mode PAY_PER_REQUEST"),
            ({"GlobalSecondaryIndexOverride": [{**GLOBAL, "IndexName": "another"}]}, "another does not match"),
            (
                {"GlobalSecondaryIndexOverride": [{**GLOBAL, "Projection": {"ProjectionType": "KEYS_ONLY"}}]},
                "by-n does not match",
            ),
            (
                {"GlobalSecondaryIndexOverride": [{**GLOBAL, "WarmThroughput": {"ReadUnitsPerSecond": 1}}]},
                "WarmThroughput is not supported",
            ),
            (
                {"SSESpecificationOverride": {"Enabled": True, "KMSMasterKeyId": "1234"}},
                "cannot be used: it does not exist",
            ),
        ],
    )
    def test_overrides_that_are_refused(self, bench: Bench, override: dict[str, Any], says: str) -> None:
        rich(bench)
        with pytest.raises(ClientError, match=says) as refused:
            restore(bench, "restored", **override)
        assert refused.value.response["Error"]["Code"] == "ValidationException"
