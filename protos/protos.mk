# The wire format: generated code is committed, CI makes it again and compares.
PROTO_OUT ?= services

.PHONY: protos lint-protos
protos: $(VENV)/.dev ## Generate services/roadside/v1 from protos/
	@cd protos && PATH="$(CURDIR)/$(BIN):$$PATH" $(CURDIR)/$(BIN)/python -m grpc_tools.protoc -I. \
	  --python_out=$(abspath $(PROTO_OUT)) --pyi_out=$(abspath $(PROTO_OUT)) \
	  --grpc_python_out=$(abspath $(PROTO_OUT)) --mypy_grpc_out=quiet:$(abspath $(PROTO_OUT)) roadside/v1/*.proto
	@rm -f $(PROTO_OUT)/roadside/v1/{types,events,options}_pb2_grpc.py*

lint-protos: $(VENV)/.dev ## Lint protos/, compare with main, and see that generated code is fresh
	@bash protos/check
