"""Makes ``sftd`` known to Twisted; twistd reads this file for every command, so it imports nothing of sft."""

from twisted.application.service import ServiceMaker

sft = ServiceMaker("sft", "sft.operator.tap", "secure file transfer server", "sft")
